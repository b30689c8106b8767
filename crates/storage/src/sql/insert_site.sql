INSERT INTO sites (id, name, url, created_at) VALUES ($1, $2, $3, $4)
