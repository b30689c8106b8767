UPDATE projects SET next_check_at = $1 WHERE id = ANY ($3) AND next_check_at > $1 AND checked_at < $2
