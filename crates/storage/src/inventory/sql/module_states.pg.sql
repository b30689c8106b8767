SELECT sm.module_id, sm.version_id, v.details IS NOT NULL AS described, v.version, sm.enabled, sm.type, sm.extension,
       sm.project, sm.datestamp, sm.schema_version, sm.security_coverage, sm.own_details, sm.base_theme
FROM site_modules sm
LEFT JOIN module_versions v ON v.id = sm.version_id
WHERE sm.site_id = $1 AND sm.module_id = ANY ($2)
