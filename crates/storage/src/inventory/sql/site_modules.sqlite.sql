-- $2 and $3: only that enabled flag, only that type. $4: only that update status. What a list does not show is NULL, and of
-- the details of a module, which may be long, only the name is read, once the page is known.
WITH judged AS MATERIALIZED (
    SELECT module_id, project, status, security_updates, recommended, core_compatibility, in_use, class, reason
    FROM judged_modules
    WHERE site_id = $1
), page AS (
    SELECT sm.module_id, m.machine_name,
           coalesce(j.status, CASE WHEN j.project IS NOT NULL THEN 'not_fetched' WHEN sm.type <> 'custom' THEN 'unknown' END)
               AS update_status
    FROM site_modules sm
    JOIN sites s ON s.id = sm.site_id
    JOIN modules m ON m.id = sm.module_id
    LEFT JOIN judged j ON j.module_id = sm.module_id
    WHERE sm.site_id = $1
      AND s.removed_at IS NULL
      AND ($2 IS NULL OR sm.enabled = $2)
      AND ($3 IS NULL OR sm.type = $3)
      AND ($4 IS NULL OR coalesce(j.status, CASE WHEN j.project IS NOT NULL THEN 'not_fetched' WHEN sm.type <> 'custom' THEN 'unknown' END) = $4)
      AND (sm.removed_at IS NOT NULL) = $5
      AND m.machine_name > $6
    ORDER BY m.machine_name
    LIMIT $7
)
SELECT p.machine_name,
       coalesce(sm.own_details ->> 'name', m.name, nullif(v.details ->> 'name', '')) AS registry_name,
       CAST(NULL AS text) AS registry_description, CAST(NULL AS text) AS registry_link,
       m.corrected_at IS NOT NULL AS corrected, CAST(NULL AS text) AS version_details,
       sm.first_seen, sm.last_updated, sm.last_reported_at, s.last_full_sync_at, sm.removed_at, sm.last_seen,
       v.version, sm.enabled, sm.type, sm.extension, sm.project, sm.datestamp, sm.schema_version,
       sm.security_coverage, CAST(NULL AS text) AS own_details, sm.base_theme, j.security_updates, j.recommended,
       j.core_compatibility AS recommended_core, s.drupal_version, p.update_status,
       CASE WHEN j.in_use THEN j.class END AS class, CASE WHEN j.in_use THEN j.reason END AS unknown_reason,
       sm.rejected, octet_length(p.machine_name) + coalesce(octet_length(j.security_updates), 0) AS bytes
FROM page p
JOIN site_modules sm ON sm.site_id = $1 AND sm.module_id = p.module_id
JOIN sites s ON s.id = sm.site_id
JOIN modules m ON m.id = p.module_id
LEFT JOIN module_versions v ON v.id = sm.version_id
LEFT JOIN judged j ON j.module_id = p.module_id
ORDER BY p.machine_name
