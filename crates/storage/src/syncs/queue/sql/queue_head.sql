-- The job of a site whose turn it is, where it is due: the newest that covers, else the oldest.
SELECT seq, id, site_id, state, attempts, lease_token
FROM queue_turns
WHERE site_id = $1 AND due_at <= $2
ORDER BY covers DESC, sync_timestamp DESC, seq DESC
LIMIT 1
