-- $4 is a tag, see sites::queries::of_tag.
SELECT s.site_id, s.name AS site_name
FROM (SELECT id AS site_id, name, core_assessment_id FROM sites WHERE removed_at IS NULL) s
WHERE s.site_id > $2 AND $4 IS NULL
  AND s.site_id NOT IN (
      SELECT sm.site_id
      FROM assessments a
      JOIN site_modules sm ON sm.assessment_id = a.id
      WHERE a.project = $1 AND sm.removed_at IS NULL
  )
  AND coalesce(s.core_assessment_id, 0) NOT IN (SELECT a.id FROM assessments a WHERE a.project = $1)
ORDER BY s.site_id
LIMIT $3
