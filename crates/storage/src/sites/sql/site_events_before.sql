SELECT id, site_id, kind, detail, sync_id, at, octet_length(detail) AS bytes
FROM site_events
WHERE site_id = $1 AND id < $2
ORDER BY id DESC
LIMIT $3
