SELECT count(CASE WHEN state = 'queued' THEN 1 END) AS queued,
       count(CASE WHEN state = 'queued' AND attempts > 0 AND due_at > $1 THEN 1 END) AS waiting,
       count(CASE WHEN state = 'running' THEN 1 END) AS running,
       count(CASE WHEN state = 'dead' THEN 1 END) AS dead,
       CAST(coalesce(sum(CASE WHEN state <> 'dead' THEN payload_bytes END), 0) AS bigint) AS bytes,
       min(CASE WHEN state <> 'dead' THEN received_at END) AS oldest,
       min(CASE WHEN state = 'dead' THEN finished_at END) AS oldest_dead,
       (SELECT count(*) FROM job_errors e WHERE e.lost) AS reclaims,
       (SELECT count(*) FROM job_errors e WHERE NOT e.lost) AS failures,
       (SELECT count(*) FROM workers w WHERE w.seen_at > $2) AS workers
FROM jobs
WHERE state IN ('queued', 'running', 'dead')
