-- Those that succeeded are in syncs.
SELECT id, site_id, key_id, client_address, body_bytes, scope, sync_timestamp, received_at, payload_bytes, state, reason,
       attempts, retried, due_at, worker, finished_at,
       (SELECT e.message FROM job_errors e WHERE e.job_seq = jobs.seq ORDER BY e.id DESC LIMIT 1) AS last_error,
       coalesce((SELECT octet_length(e.message) FROM job_errors e WHERE e.job_seq = jobs.seq ORDER BY e.id DESC LIMIT 1), 0)
           AS bytes
FROM jobs
WHERE site_id = $1 AND id < $2 AND state <> 'succeeded'
ORDER BY id DESC
LIMIT $3
