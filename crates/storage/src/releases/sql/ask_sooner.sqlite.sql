UPDATE projects SET next_check_at = $1 WHERE id IN (SELECT value FROM json_each($3)) AND next_check_at > $1 AND checked_at < $2
