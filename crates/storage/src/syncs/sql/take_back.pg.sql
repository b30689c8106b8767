UPDATE site_modules
SET removed_at = $2, last_seen = last_reported_at, rejected = NULL, in_use = false
WHERE site_id = $1 AND rejected = 'back' AND module_id = ANY ($3)
