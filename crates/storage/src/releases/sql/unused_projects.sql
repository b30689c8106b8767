-- Of the projects from $1 to $2: whether nobody uses them: no assessment is of their feed, no extension waits to be judged by
-- them, and none that nothing else identifies is named like them. What was asked for the first time since $4 still counts in
-- its site's share of a day; what an administrator has asked for or made known since $5 stays. (The + keeps SQLite from
-- looking for everything without an assessment.)
SELECT p.id,
       (p.first_checked_at IS NULL OR p.first_checked_at < $4)
           AND (p.requested_at IS NULL OR p.requested_at < $5)
           AND (p.introduced_by IS NOT NULL OR p.created_at < $5)
           AND (SELECT 1 FROM assessments a WHERE a.project = p.name AND a.feed = p.feed LIMIT 1) IS NULL
           AND (SELECT 1
                FROM site_modules sm
                WHERE sm.project = p.name AND sm.assessment_id IS NULL AND sm.removed_at IS NULL AND sm.type <> 'core'
                  AND sm.identification IS NULL AND sm.rejected IS NULL
                LIMIT 1) IS NULL
           AND (SELECT 1
                FROM site_modules sm
                WHERE sm.module_id = (SELECT m.id FROM modules m WHERE m.machine_name = p.name)
                  AND +sm.assessment_id IS NULL AND sm.removed_at IS NULL AND sm.type <> 'core'
                LIMIT 1) IS NULL AS unused
FROM projects p
WHERE p.id > $1 AND p.id <= $2
ORDER BY p.id
LIMIT $3
