SELECT id, site_id, key_id, client_address, body_bytes, received_at, processed_count, new_modules, updated_modules,
       removed_modules, security_updates_found, security_projects, security_unsupported, security_unknown, coverage, security_data_as_of, false AS recounting, warnings,
       rejected, next_sync_after, processing_time_ms,
       octet_length(warnings) + octet_length(rejected) AS bytes
FROM syncs
WHERE site_id = $1 AND id < $2
ORDER BY id DESC
LIMIT $3
