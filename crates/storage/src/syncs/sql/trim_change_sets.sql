DELETE FROM change_sets WHERE site_id = $1 AND sync_id <= $2
