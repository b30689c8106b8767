-- Overwrites a key that has run out.
INSERT INTO idempotency_keys (site_id, key, body_hash, sync_id, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (site_id, key) DO UPDATE
SET body_hash = excluded.body_hash, sync_id = excluded.sync_id, created_at = excluded.created_at
