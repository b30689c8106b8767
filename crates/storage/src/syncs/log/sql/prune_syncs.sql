DELETE FROM syncs
WHERE id IN (
    SELECT s.id
    FROM syncs s
    WHERE s.received_at < $1 AND NOT EXISTS (SELECT 1 FROM idempotency_keys k WHERE k.sync_id = s.id)
    ORDER BY s.received_at
    LIMIT $2
)
