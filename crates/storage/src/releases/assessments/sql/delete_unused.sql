-- Nobody uses them any more. Whoever is about to waits for the project's row.
DELETE FROM assessments
WHERE project = $1 AND feed = $2
  AND NOT EXISTS (SELECT 1 FROM site_modules sm WHERE sm.assessment_id = assessments.id)
  AND NOT EXISTS (SELECT 1 FROM sites s WHERE s.core_assessment_id = assessments.id)
