UPDATE security_findings f
SET fixed_at = $2
WHERE f.site_id = ANY ($1) AND f.fixed_at IS NULL
  AND NOT EXISTS (
      SELECT FROM judged_modules j
      WHERE j.site_id = ANY ($1) AND j.site_id = f.site_id AND j.project = f.project AND j.needs_update
  )
