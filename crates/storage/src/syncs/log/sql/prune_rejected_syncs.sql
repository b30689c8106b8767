DELETE FROM rejected_syncs
WHERE id IN (SELECT r.id FROM rejected_syncs r WHERE r.last_at < $1 ORDER BY r.last_at LIMIT $2)
