INSERT INTO api_keys (id, site_id, name, secret_hash, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
