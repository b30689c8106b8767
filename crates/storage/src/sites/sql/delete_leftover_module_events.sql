DELETE FROM site_module_events
WHERE id IN (SELECT e.id FROM site_module_events e WHERE e.site_id = $1 LIMIT $2)
