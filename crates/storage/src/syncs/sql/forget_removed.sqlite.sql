DELETE FROM site_modules WHERE site_id = $1 AND removed_at IS NOT NULL AND module_id IN (SELECT value FROM json_each($2))
