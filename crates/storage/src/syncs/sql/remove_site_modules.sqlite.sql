-- The derived last_seen is written down, because from now on it must not move. With LIMIT the text is read once, not once for
-- each row of the site.
UPDATE site_modules
SET removed_at = $2, last_updated = $2, in_use = false, identification = NULL, rejected = NULL, assessment_id = NULL,
    last_change_sync = $3, last_change_position = r.change,
    last_seen = CASE WHEN $4 > last_reported_at THEN $4 ELSE last_reported_at END
FROM (SELECT value ->> 'module_id' AS id, value ->> 'change' AS change FROM json_each($5) LIMIT -1) AS r
WHERE site_id = $1 AND module_id = r.id
