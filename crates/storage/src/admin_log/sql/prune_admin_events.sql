DELETE FROM admin_events
WHERE id IN (SELECT e.id FROM admin_events e WHERE e.at < $1 ORDER BY e.at LIMIT $2)
