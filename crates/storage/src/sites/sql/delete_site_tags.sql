DELETE FROM site_tags WHERE site_id = $1
