-- The sites that use one of the assessments, in the order of ids, in which everybody marks them. A mark that is there
-- already is written once more, so that nobody who does not see yet what has changed can take it.
INSERT INTO recounts (site_id, identify, requested_at)
SELECT u.site_id, false, $1
FROM (
    SELECT sm.site_id FROM site_modules sm WHERE sm.assessment_id = ANY ($2) AND sm.removed_at IS NULL
    UNION
    SELECT s.id FROM sites s WHERE s.core_assessment_id = ANY ($2) AND s.removed_at IS NULL
) u
ORDER BY u.site_id
ON CONFLICT (site_id) DO UPDATE
SET identify = recounts.identify OR excluded.identify, marks = recounts.marks + 1
