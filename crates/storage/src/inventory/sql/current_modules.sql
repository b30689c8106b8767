SELECT sm.module_id, sm.version_id, v.details IS NOT NULL AS described, m.machine_name, m.type AS registry_type, sm.removed_at,
       v.version, sm.enabled, sm.type, sm.extension, sm.project, sm.datestamp, sm.schema_version,
       sm.security_coverage, sm.own_details, sm.in_use, sm.identification, sm.rejected
FROM site_modules sm
JOIN modules m ON m.id = sm.module_id
LEFT JOIN module_versions v ON v.id = sm.version_id
WHERE sm.site_id = $1
