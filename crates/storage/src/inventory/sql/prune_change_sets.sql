DELETE FROM change_sets
WHERE sync_id IN (SELECT c.sync_id FROM change_sets c WHERE c.sync_id < $1 ORDER BY c.sync_id LIMIT $2)
