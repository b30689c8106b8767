SELECT active, strict_identity, reported_environment, reported_url, drupal_version, last_sync_timestamp, fingerprint,
       mass_removal, unnamed_rejections, conflict, silence_told, busy_until, last_full_sync_at, pending_jobs, core_assessment_id, kept_bytes, security_updates_found,
       security_projects, security_unsupported, security_unknown, coverage, (SELECT as_of FROM release_data) AS security_data_as_of,
       (SELECT changes FROM release_data) AS changes,
       EXISTS (SELECT 1 FROM recounts r WHERE r.site_id = id) AS recounting
FROM sites
WHERE id = $1 AND removed_at IS NULL
