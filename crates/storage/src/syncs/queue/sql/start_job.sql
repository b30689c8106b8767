UPDATE jobs
SET state = 'running', attempts = attempts + 1, lease_token = lease_token + 1, due_at = $2, worker = $3
WHERE seq = $1
RETURNING id, site_id, key_id, client_address, body_bytes, lenient, received_at, payload, attempts, lease_token
