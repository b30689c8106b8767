SELECT m.machine_name, m.name AS registry_name, m.description AS registry_description,
       m.project_link AS registry_link, m.corrected_at IS NOT NULL AS corrected, v.details AS version_details,
       sm.first_seen, sm.last_updated, sm.last_reported_at, s.last_full_sync_at, sm.removed_at, sm.last_seen,
       v.version, sm.enabled, sm.type, sm.extension, sm.project, sm.datestamp, sm.schema_version,
       sm.security_coverage, sm.own_details, a.security_updates, a.recommended,
       a.core_compatibility AS recommended_core, s.drupal_version,
       coalesce(a.status, CASE WHEN sm.project IS NOT NULL THEN 'not_fetched' WHEN sm.type <> 'custom' THEN 'unknown' END)
           AS update_status
FROM site_modules sm
JOIN sites s ON s.id = sm.site_id
JOIN modules m ON m.id = sm.module_id
LEFT JOIN module_versions v ON v.id = sm.version_id
LEFT JOIN assessments a ON a.id = CASE WHEN sm.type = 'core' THEN s.core_assessment_id ELSE sm.assessment_id END
WHERE sm.site_id = $1 AND s.removed_at IS NULL AND m.machine_name = $2
