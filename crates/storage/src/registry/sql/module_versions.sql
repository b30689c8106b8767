SELECT m.machine_name, v.version, v.details, v.released_at, coalesce(octet_length(v.details), 0) AS bytes
FROM modules m
JOIN module_versions v ON v.module_id = m.id
WHERE m.machine_name = $1 AND (v.sort_key, v.version) > ($2, $3)
ORDER BY v.sort_key, v.version
LIMIT $4
