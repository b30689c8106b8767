UPDATE jobs
SET state = $2, reason = $3, finished_at = $4, payload = CASE WHEN $5 THEN NULL ELSE payload END, worker = NULL
WHERE seq = $1
