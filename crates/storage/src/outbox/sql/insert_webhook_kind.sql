INSERT INTO webhook_kinds (webhook_id, kind) VALUES ($1, $2)
