-- The beginning of a statement: queries::module_sites says which versions and sites. The module is looked up beforehand, so
-- that its sites are read in their order from the index of its rows.
SELECT sm.site_id, s.name AS site_name, s.last_full_sync_at, v.version, sm.enabled, sm.type, sm.first_seen,
       sm.last_reported_at, sm.last_seen, sm.removed_at, v.sort_key >= $8 AS same_branch,
       (SELECT j.status FROM judged_modules j WHERE j.site_id = sm.site_id AND j.module_id = sm.module_id) AS status
FROM site_modules sm
JOIN sites s ON s.id = sm.site_id
LEFT JOIN module_versions v ON v.id = sm.version_id
WHERE sm.module_id = (SELECT id FROM modules WHERE machine_name = $1)
  AND sm.site_id > $2 AND (sm.removed_at IS NOT NULL) = $3 AND s.removed_at IS NULL
