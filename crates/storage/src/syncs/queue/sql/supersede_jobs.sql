-- What waits of a site and is older than a report that covers and has just been applied.
UPDATE jobs
SET state = 'superseded', reason = 'newer-full-report', payload = NULL, finished_at = $3
WHERE site_id = $1 AND state = 'queued'
  AND (sync_timestamp, seq) < (SELECT a.sync_timestamp, a.seq FROM jobs a WHERE a.id = $2 AND a.covers)
