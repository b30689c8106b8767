INSERT INTO projects (name, feed, introduced_by, created_at, next_check_at)
SELECT value ->> 'name', $1, $2, $3, value ->> 'next_check_at'
FROM json_each($4)
WHERE true
ON CONFLICT (name, feed) DO NOTHING
