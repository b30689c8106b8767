SELECT count(*) AS count FROM workers WHERE seen_at > $1
