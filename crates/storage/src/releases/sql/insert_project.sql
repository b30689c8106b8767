INSERT INTO projects (name, feed, next_check_at, created_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (name, feed) DO NOTHING
