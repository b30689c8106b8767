-- Nothing where there is no such site.
INSERT INTO admin_events (at, actor, action, site_id, target, detail)
SELECT $1, $2, $6, id, $3, $4 FROM sites WHERE id = $5 AND removed_at IS NULL
