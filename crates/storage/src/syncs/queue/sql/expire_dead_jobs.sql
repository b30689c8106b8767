DELETE FROM jobs
WHERE seq IN (
    SELECT j.seq
    FROM jobs j
    WHERE j.state = 'dead' AND j.finished_at < $1
      AND NOT EXISTS (SELECT 1 FROM idempotency_keys k WHERE k.sync_id = j.id)
    ORDER BY j.finished_at, j.seq
    LIMIT $2
)
RETURNING id, site_id, reason, finished_at
