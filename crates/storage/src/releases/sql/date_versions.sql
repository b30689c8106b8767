-- The modules that are named like the project.
UPDATE module_versions AS v
SET released_at = r.released_at
FROM releases r
WHERE r.project_id = $1 AND r.version = v.version
  AND v.module_id IN (SELECT m.id FROM modules m WHERE m.machine_name = $2 AND m.type = 'contrib')
  AND v.released_at IS DISTINCT FROM r.released_at
