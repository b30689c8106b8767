SELECT count(*) AS count FROM projects WHERE name = $1 AND fetched_at IS NOT NULL
