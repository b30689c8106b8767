INSERT INTO settlements (module_id, site_id, project, settled_at, settled_by)
SELECT m.id, $2, $3, $4, $5
FROM modules m
WHERE m.machine_name = $1
  AND ($2 IS NULL OR EXISTS (
      SELECT 1 FROM site_modules sm WHERE sm.site_id = $2 AND sm.module_id = m.id AND sm.removed_at IS NULL
  ))
