SELECT r.project_id, r.position, r.version, r.status, r.date, r.link, r.insecure, r.unsupported, r.security_update,
       r.covered, r.core_compatibility
FROM releases r
WHERE r.project_id IN (SELECT value FROM json_each($1))
ORDER BY r.project_id, r.position
