INSERT INTO security_findings (site_id, project, insecure_since)
SELECT DISTINCT j.site_id, j.project, $1
FROM judged_modules j
WHERE j.site_id IN (SELECT value FROM json_each($2)) AND j.needs_update
  AND NOT EXISTS (
      SELECT 1
      FROM security_findings f
      WHERE f.site_id = j.site_id AND f.project = j.project AND f.fixed_at IS NULL
  )
