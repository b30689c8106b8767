-- What drupal.org has projects of stays as it is, too: whoever changes that takes the other lock of names. What follows in the
-- transaction is about the rows of one site, by their keys: a table of all sites that is hashed or sorted for it takes longer
-- the more sites there are.
SELECT active, strict_identity, reported_environment, reported_url, drupal_version, last_sync_timestamp, fingerprint,
       mass_removal, unnamed_rejections, conflict, silence_told, busy_until, last_full_sync_at, pending_jobs, core_assessment_id, kept_bytes, security_updates_found,
       security_projects, security_unsupported, security_unknown, coverage, (SELECT as_of FROM release_data) AS security_data_as_of,
       (SELECT changes FROM release_data) AS changes,
       EXISTS (SELECT 1 FROM recounts r WHERE r.site_id = id) AS recounting
FROM sites, (
    SELECT pg_advisory_xact_lock_shared(7021), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true)
    OFFSET 0
) names
WHERE id = $1 AND removed_at IS NULL
FOR NO KEY UPDATE OF sites
