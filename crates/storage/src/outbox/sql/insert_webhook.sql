INSERT INTO webhooks (url, tag, created_at, created_by) VALUES ($1, $2, $3, $4) RETURNING id
