SELECT id, at, actor, action, site_id, target, detail, coalesce(octet_length(detail), 0) AS bytes
FROM admin_events
WHERE id < $1
ORDER BY id DESC
LIMIT $2
