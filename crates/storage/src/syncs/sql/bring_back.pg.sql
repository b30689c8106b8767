UPDATE site_modules
SET removed_at = NULL, last_seen = NULL, last_reported_at = $2, rejected = 'back', in_use = true
WHERE site_id = $1 AND module_id = ANY ($3)
