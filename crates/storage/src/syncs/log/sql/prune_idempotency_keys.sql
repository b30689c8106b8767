DELETE FROM idempotency_keys
WHERE sync_id IN (SELECT k.sync_id FROM idempotency_keys k WHERE k.created_at < $1 ORDER BY k.created_at LIMIT $2)
