SELECT id, site_id, name, created_at, last_used_at, expires_at, revoked_at
FROM api_keys
WHERE site_id = $1 AND id > $2
ORDER BY id
LIMIT $3
