UPDATE projects
SET next_check_at = CASE WHEN next_check_at > $2 THEN $2 ELSE next_check_at END, requested_at = $2
WHERE name = $1
