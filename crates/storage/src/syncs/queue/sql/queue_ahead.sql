-- The time stamp of the running report that a further one of its site must not be older than: it would be stale in its
-- turn. One that covers is no such report, because it takes the place of what is older once it has been applied.
SELECT max(sync_timestamp) AS running
FROM jobs
WHERE site_id = $1 AND state = 'running' AND NOT covers
