INSERT INTO change_sets (site_id, at, sync_id, changes) VALUES ($1, $2, $3, $4)
