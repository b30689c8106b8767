SELECT count(*) AS jobs, CAST(coalesce(sum(payload_bytes), 0) AS bigint) AS bytes
FROM jobs
WHERE state IN ('queued', 'running')
