SELECT body_hash, sync_id FROM idempotency_keys WHERE site_id = $1 AND key = $2 AND created_at > $3
