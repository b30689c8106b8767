DELETE FROM security_acceptances
WHERE id IN (SELECT x.id FROM security_acceptances x WHERE x.ended_at < $1 ORDER BY x.ended_at LIMIT $2)
