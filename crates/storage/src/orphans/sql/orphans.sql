-- Every reference that has no foreign key.
SELECT reference, count
FROM (
    SELECT 'site_modules.site_id' AS reference, count(*) AS count
    FROM site_modules r
    WHERE r.site_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sites o WHERE o.id = r.site_id)
    UNION ALL
    SELECT 'site_modules.module_id' AS reference, count(*) AS count
    FROM site_modules r
    WHERE r.module_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM modules o WHERE o.id = r.module_id)
    UNION ALL
    SELECT 'site_modules.version_id' AS reference, count(*) AS count
    FROM site_modules r
    WHERE r.version_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM module_versions o WHERE o.id = r.version_id)
    UNION ALL
    SELECT 'site_modules.assessment_id' AS reference, count(*) AS count
    FROM site_modules r
    WHERE r.assessment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM assessments o WHERE o.id = r.assessment_id)
    UNION ALL
    SELECT 'module_versions.module_id' AS reference, count(*) AS count
    FROM module_versions r
    WHERE r.module_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM modules o WHERE o.id = r.module_id)
    UNION ALL
    SELECT 'sites.core_assessment_id' AS reference, count(*) AS count
    FROM sites r
    WHERE r.core_assessment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM assessments o WHERE o.id = r.core_assessment_id)
    UNION ALL
    SELECT 'change_sets.site_id' AS reference, count(*) AS count
    FROM change_sets r
    WHERE r.site_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sites o WHERE o.id = r.site_id)
    UNION ALL
    SELECT 'syncs.site_id' AS reference, count(*) AS count
    FROM syncs r
    WHERE r.site_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sites o WHERE o.id = r.site_id)
    UNION ALL
    SELECT 'security_findings.site_id' AS reference, count(*) AS count
    FROM security_findings r
    WHERE r.site_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sites o WHERE o.id = r.site_id)
) found
WHERE count > 0
ORDER BY reference
