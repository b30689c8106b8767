-- The sites that have a module of the name $2 of which somebody else says what it is: it is nobody's project by their own
-- reports, or an administrator has settled it.
INSERT INTO recounts (site_id, identify, requested_at)
SELECT sm.site_id, true, $1
FROM modules m
JOIN site_modules sm ON sm.module_id = m.id
WHERE m.machine_name = $2 AND sm.removed_at IS NULL
  AND (sm.type = 'custom' AND sm.project IS NULL OR sm.identification IS NOT NULL
       OR EXISTS (SELECT 1 FROM settlements t WHERE t.module_id = m.id))
ORDER BY sm.site_id
ON CONFLICT (site_id) DO UPDATE
SET identify = recounts.identify OR excluded.identify, marks = recounts.marks + 1
