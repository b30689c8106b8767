-- Only while the lease is still that one. $8: this attempt does not count. $9: the payload is not needed any more.
UPDATE jobs
SET state = $4, reason = $5, due_at = $6, finished_at = $7, attempts = attempts - CASE WHEN $8 THEN 1 ELSE 0 END,
    payload = CASE WHEN $9 THEN NULL ELSE payload END, worker = NULL
WHERE site_id = $1 AND id = $2 AND lease_token = $3 AND state = 'running'
