SELECT id, name, url, reported_environment, created_at, active, strict_identity, rate_limit, drupal_version, php_version,
       last_sync_at, last_full_sync_at, mass_removal, conflict, security_updates_found, security_projects,
       security_unknown, (SELECT as_of FROM release_data) AS security_data_as_of
FROM sites
WHERE id = $1
