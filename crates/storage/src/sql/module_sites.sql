-- The beginning of a statement: queries::module_sites says which versions.
SELECT sm.site_id, s.name AS site_name, s.last_full_sync_at, v.version, sm.enabled, sm.type, sm.first_seen,
       sm.last_reported_at, sm.last_seen, sm.removed_at
FROM modules m
JOIN site_modules sm ON sm.module_id = m.id
JOIN sites s ON s.id = sm.site_id
LEFT JOIN module_versions v ON v.id = sm.version_id
WHERE m.machine_name = $1 AND sm.site_id > $2 AND (sm.removed_at IS NOT NULL) = $3 AND s.removed_at IS NULL
