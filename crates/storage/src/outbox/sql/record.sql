-- One statement that itself asks whether somebody wants to be told.
INSERT INTO outbox (kind, site_id, at, data)
SELECT $1, $2, $3, $4
WHERE EXISTS (SELECT 1 FROM wanted_events w WHERE w.site_id = $2 AND w.kind = $1)
