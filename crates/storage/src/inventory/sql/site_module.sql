WITH judged AS MATERIALIZED (
    SELECT module_id, project, status, security_updates, recommended, core_compatibility, in_use, class, reason
    FROM judged_modules
    WHERE site_id = $1 AND module_id = (SELECT m.id FROM modules m WHERE m.machine_name = $2)
)
SELECT m.machine_name, m.name AS registry_name, m.description AS registry_description,
       m.project_link AS registry_link, m.corrected_at IS NOT NULL AS corrected, v.details AS version_details,
       sm.first_seen, sm.last_updated, sm.last_reported_at, s.last_full_sync_at, sm.removed_at, sm.last_seen,
       v.version, sm.enabled, sm.type, sm.extension, sm.project, sm.datestamp, sm.schema_version,
       sm.security_coverage, sm.own_details, sm.base_theme, j.security_updates, j.recommended,
       j.core_compatibility AS recommended_core, s.drupal_version,
       coalesce(j.status, CASE WHEN j.project IS NOT NULL THEN 'not_fetched' WHEN sm.type <> 'custom' THEN 'unknown' END)
           AS update_status,
       CASE WHEN j.in_use THEN j.class END AS class, CASE WHEN j.in_use THEN j.reason END AS unknown_reason,
       sm.rejected
FROM site_modules sm
JOIN sites s ON s.id = sm.site_id
JOIN modules m ON m.id = sm.module_id
LEFT JOIN module_versions v ON v.id = sm.version_id
LEFT JOIN judged j ON j.module_id = sm.module_id
WHERE sm.site_id = $1 AND s.removed_at IS NULL AND m.machine_name = $2
