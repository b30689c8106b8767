UPDATE site_modules SET last_reported_at = $2 WHERE site_id = $1 AND module_id IN (SELECT value FROM json_each($3))
