DELETE FROM syncs WHERE site_id = $1 AND id <= $2
