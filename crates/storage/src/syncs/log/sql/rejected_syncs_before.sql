SELECT id, site_id, key_id, reason, count, first_at, last_at, client_address, body_bytes
FROM rejected_syncs
WHERE site_id = $1 AND id < $2
ORDER BY id DESC
LIMIT $3
