SELECT w.id, w.url, w.tag, w.created_at, w.created_by,
       (SELECT string_agg(k.kind, ' ' ORDER BY k.kind) FROM webhook_kinds k WHERE k.webhook_id = w.id) AS kinds
FROM webhooks w
WHERE w.id > $1
ORDER BY w.id
LIMIT $2
