DELETE FROM security_findings
WHERE id IN (SELECT f.id FROM security_findings f WHERE f.site_id = $1 LIMIT $2)
