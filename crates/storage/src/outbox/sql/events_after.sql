SELECT id, kind, site_id, at, data FROM outbox WHERE id > $1 ORDER BY id LIMIT $2
