DELETE FROM workers WHERE id = $1 OR seen_at < $2
