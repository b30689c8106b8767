UPDATE security_findings AS f
SET fixed_at = $1
WHERE f.site_id IN (SELECT value FROM json_each($2)) AND f.fixed_at IS NULL
  AND NOT EXISTS (
      SELECT 1 FROM judged_modules j WHERE j.site_id = f.site_id AND j.project = f.project AND j.needs_update
  )
