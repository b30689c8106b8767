SELECT id, at, actor, action, site_id, target, detail
FROM admin_events
WHERE id < $1
ORDER BY id DESC
LIMIT $2
