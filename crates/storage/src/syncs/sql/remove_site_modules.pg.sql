-- The derived last_seen is written down, because from now on it must not move.
UPDATE site_modules
SET removed_at = $2, last_updated = $2, in_use = false, identification = NULL, rejected = NULL,
    last_seen = CASE WHEN $3 > last_reported_at THEN $3 ELSE last_reported_at END
WHERE site_id = $1 AND module_id = ANY ($4)
