UPDATE security_findings AS f
SET fixed_at = $2
WHERE f.site_id IN (SELECT unhex(value) FROM json_each($1)) AND f.fixed_at IS NULL
  AND NOT EXISTS (
      SELECT 1 FROM judged_modules j WHERE j.site_id = f.site_id AND j.project = f.project AND j.needs_update
  )
