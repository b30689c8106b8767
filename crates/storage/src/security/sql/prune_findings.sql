DELETE FROM security_findings
WHERE id IN (SELECT f.id FROM security_findings f WHERE f.fixed_at < $1 ORDER BY f.fixed_at LIMIT $2)
