SELECT count(*) AS count FROM projects WHERE feed = $1 AND changed > $2 AND name = ANY ($3)
