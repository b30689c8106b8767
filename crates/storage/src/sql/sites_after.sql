SELECT id, name, url, created_at, active, drupal_version, php_version, last_sync_at, last_full_sync_at,
       mass_removal, conflict, security_unknown
FROM sites
WHERE id > $1
ORDER BY id
LIMIT $2
