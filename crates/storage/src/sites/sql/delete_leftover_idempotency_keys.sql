DELETE FROM idempotency_keys
WHERE site_id = $1 AND key IN (SELECT k.key FROM idempotency_keys k WHERE k.site_id = $1 LIMIT $2)
