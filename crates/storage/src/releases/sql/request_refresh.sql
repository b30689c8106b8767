UPDATE projects SET next_check_at = $2 WHERE name = $1 AND next_check_at > $2
