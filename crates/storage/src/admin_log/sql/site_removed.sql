-- Nothing where the site was not removed at this moment, but earlier or never.
INSERT INTO admin_events (at, actor, action, site_id, target, detail)
SELECT $1, $2, $5, id, $3, name FROM sites WHERE id = $4 AND removed_at = $1
