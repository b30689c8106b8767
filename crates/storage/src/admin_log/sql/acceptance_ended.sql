-- Nothing where somebody else has ended it.
INSERT INTO admin_events (at, actor, action, site_id, target, detail)
SELECT $1, $2, $3, site_id, $4, $5 FROM security_acceptances WHERE id = $6 AND ended_at = $1
