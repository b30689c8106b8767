-- A worker that is at one of them finds its lease gone.
UPDATE jobs
SET state = 'failed', reason = 'site-deleted', payload = NULL, finished_at = $2, worker = NULL
WHERE site_id = $1 AND state IN ('queued', 'running', 'dead')
