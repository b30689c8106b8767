INSERT INTO syncs (
    id, site_id, key_id, client_address, body_bytes, scope, sync_timestamp, received_at, processed_count, new_modules,
    updated_modules, removed_modules, warnings, rejected, next_sync_after, processing_time_ms,
    security_updates_found, security_projects, security_unsupported, security_unknown, coverage, security_data_as_of
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
