SELECT id, site_id, name, created_at, last_used_at, expires_at, revoked_at
FROM api_keys
WHERE id > $1
ORDER BY id
LIMIT $2
