-- Says which site the key was for; nothing where there is no such key.
INSERT INTO admin_events (at, actor, action, site_id, target)
SELECT $1, $2, $4, site_id, id FROM api_keys WHERE id = $3
