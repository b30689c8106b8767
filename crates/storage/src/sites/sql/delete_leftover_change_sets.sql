DELETE FROM change_sets
WHERE sync_id IN (SELECT c.sync_id FROM change_sets c WHERE c.site_id = $1 LIMIT $2)
