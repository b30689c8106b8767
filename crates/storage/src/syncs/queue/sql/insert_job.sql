INSERT INTO jobs (
    id, site_id, key_id, client_address, body_bytes, scope, lenient, covers, sync_timestamp, received_at, payload,
    payload_bytes, state, due_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'queued', $10)
