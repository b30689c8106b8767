SELECT e.id, e.kind, e.from_version, e.to_version, e.sync_id, e.at
FROM site_module_events e
JOIN modules m ON m.id = e.module_id
WHERE e.site_id = $1 AND m.machine_name = $2 AND e.id < $3
ORDER BY e.id DESC
LIMIT $4
