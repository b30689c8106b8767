-- What still waits stays, however old it is, and so do dead letters, for which somebody has to decide.
DELETE FROM jobs
WHERE seq IN (
    SELECT j.seq
    FROM jobs j
    WHERE j.received_at < $1 AND j.finished_at < $1 AND j.state <> 'dead'
      AND NOT EXISTS (SELECT 1 FROM idempotency_keys k WHERE k.sync_id = j.id)
    ORDER BY j.received_at
    LIMIT $2
)
