INSERT INTO admin_events (at, actor, action, site_id, target, detail) VALUES ($1, $2, $3, $4, $5, $6)
