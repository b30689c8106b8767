SELECT active, strict_identity, reported_environment, reported_url, drupal_version, last_sync_timestamp, fingerprint,
       mass_removal, conflict, last_full_sync_at, pending_jobs, security_updates_found, security_projects, security_unknown
FROM sites
WHERE id = $1 AND removed_at IS NULL
