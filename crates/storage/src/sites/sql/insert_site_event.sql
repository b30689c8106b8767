INSERT INTO site_events (site_id, kind, detail, sync_id, at) VALUES ($1, $2, $3, $4, $5)
