-- What waits of a site and is older than a full report that has just been accepted.
UPDATE jobs
SET state = 'superseded', reason = 'newer-full-report', payload = NULL, finished_at = $3
WHERE site_id = $1 AND state = 'queued' AND sync_timestamp <= $2
