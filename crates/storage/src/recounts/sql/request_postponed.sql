INSERT INTO recounts (site_id, identify, requested_at)
SELECT DISTINCT sm.site_id, true, $1
FROM site_modules sm
WHERE sm.assessment_id IS NULL AND sm.project IS NOT NULL AND sm.removed_at IS NULL AND sm.type <> 'core'
  AND sm.identification IS NULL AND sm.rejected IS NULL
ORDER BY sm.site_id
ON CONFLICT (site_id) DO UPDATE
SET identify = recounts.identify OR excluded.identify, marks = recounts.marks + 1
