-- The sites that have something of the project $2 in the class $3, or something of that name that no project judges.
INSERT INTO recounts (site_id, identify, requested_at)
SELECT u.site_id, false, $1
FROM (
    SELECT sm.site_id
    FROM assessments a
    JOIN site_modules sm ON sm.assessment_id = a.id
    WHERE a.project = $2 AND (a.class = $3 OR $3 = 'unknown') AND sm.removed_at IS NULL
    UNION
    SELECT s.id
    FROM assessments a
    JOIN sites s ON s.core_assessment_id = a.id
    WHERE a.project = $2 AND a.class = $3 AND s.removed_at IS NULL
    UNION
    SELECT sm.site_id
    FROM modules m
    JOIN site_modules sm ON sm.module_id = m.id
    WHERE m.machine_name = $2 AND $3 = 'unknown' AND sm.removed_at IS NULL AND sm.assessment_id IS NULL
) u
WHERE true
ORDER BY u.site_id
ON CONFLICT (site_id) DO UPDATE
SET identify = recounts.identify OR excluded.identify, marks = recounts.marks + 1
