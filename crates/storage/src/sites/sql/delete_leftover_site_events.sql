DELETE FROM site_events
WHERE id IN (SELECT e.id FROM site_events e WHERE e.site_id = $1 LIMIT $2)
