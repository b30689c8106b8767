SELECT id, kind, site_id, at, data, octet_length(data) AS bytes FROM outbox WHERE id > $1 ORDER BY id LIMIT $2
