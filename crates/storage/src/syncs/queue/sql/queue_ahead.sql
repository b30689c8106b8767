-- The time stamps that a further report of a site is compared with, beside that of the last one applied.
SELECT max(CASE WHEN state = 'running' THEN sync_timestamp END) AS running,
       max(CASE WHEN state = 'queued' AND covers THEN sync_timestamp END) AS covering
FROM jobs
WHERE site_id = $1 AND state IN ('queued', 'running')
