DELETE FROM site_modules
WHERE site_id = $1 AND module_id IN (SELECT sm.module_id FROM site_modules sm WHERE sm.site_id = $1 LIMIT $2)
