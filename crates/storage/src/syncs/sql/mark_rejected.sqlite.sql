UPDATE site_modules SET rejected = 'kept', in_use = true
WHERE site_id = $1 AND module_id IN (SELECT value FROM json_each($2))
