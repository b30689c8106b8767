DELETE FROM settlements
WHERE id IN (SELECT t.id FROM settlements t WHERE t.site_id = $1 LIMIT $2)
