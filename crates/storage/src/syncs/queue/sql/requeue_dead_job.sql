UPDATE jobs
SET state = 'queued', reason = NULL, attempts = 0, retried = true, due_at = $2, finished_at = NULL
WHERE id = $1 AND state = 'dead'
