UPDATE module_versions AS v
SET released_at = r.released_at
FROM releases r
WHERE r.project_id = $1 AND r.version = v.version
  AND v.module_id IN (SELECT m.id FROM modules m WHERE m.type = 'core')
  AND v.released_at IS DISTINCT FROM r.released_at
