-- The derived last_seen is written down, because from now on it must not move.
UPDATE site_modules
SET removed_at = $2, last_updated = $2, in_use = false, identification = NULL, rejected = NULL, assessment_id = NULL,
    last_change_sync = $3, last_change_position = r.change,
    last_seen = CASE WHEN $4 > last_reported_at THEN $4 ELSE last_reported_at END
FROM unnest($5::bigint[], $6::integer[]) AS r (id, change)
WHERE site_id = $1 AND module_id = r.id
