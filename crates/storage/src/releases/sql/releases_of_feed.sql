SELECT r.project_id, r.position, r.version, r.status, r.date, r.link, r.insecure, r.unsupported, r.security_update,
       r.covered, r.core_compatibility
FROM releases r
JOIN projects p ON p.id = r.project_id
WHERE p.name = $1 AND p.feed = $2 AND r.position > $3
ORDER BY r.position
LIMIT $4
