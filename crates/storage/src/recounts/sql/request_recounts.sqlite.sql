INSERT INTO recounts (site_id, identify, requested_at)
SELECT u.site_id, false, $1
FROM (
    SELECT sm.site_id
    FROM site_modules sm
    WHERE sm.assessment_id IN (SELECT value FROM json_each($2)) AND sm.removed_at IS NULL
    UNION
    SELECT s.id FROM sites s WHERE s.core_assessment_id IN (SELECT value FROM json_each($2)) AND s.removed_at IS NULL
) u
WHERE true
ON CONFLICT (site_id) DO UPDATE
SET identify = recounts.identify OR excluded.identify, marks = recounts.marks + 1
