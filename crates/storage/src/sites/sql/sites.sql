-- The beginning of a statement: queries::site and queries::sites say which sites, and queries::sites in which order.
SELECT s.id, s.name, s.url, coalesce(s.environment, s.reported_environment) AS environment, s.created_at, s.active,
       s.strict_identity, s.rate_limit, s.silent_after, s.silent_at, s.recent_refusals, s.last_refusal,
       s.drupal_version, s.php_version, s.facts, s.partial, s.last_sync_at, s.last_full_sync_at, s.mass_removal, s.conflict,
       s.kept_modules, s.kept_bytes, s.history_since,
       s.security_updates_found, s.security_projects, s.security_unsupported, s.security_unknown, s.coverage,
       (SELECT as_of FROM release_data) AS security_data_as_of,
       EXISTS (SELECT 1 FROM recounts r WHERE r.site_id = s.id) AS recounting,
       (SELECT string_agg(t.tag, ' ' ORDER BY t.tag) FROM site_tags t WHERE t.site_id = s.id) AS tags,
       octet_length(s.name) + coalesce(octet_length(s.url), 0) + coalesce(octet_length(s.facts), 0)
           + coalesce(octet_length(coalesce(s.environment, s.reported_environment)), 0) AS bytes
FROM sites s
WHERE s.removed_at IS NULL
