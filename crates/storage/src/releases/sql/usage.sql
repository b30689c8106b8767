WITH used AS (
    SELECT sm.site_id, a.project, a.feed
    FROM site_modules sm
    JOIN assessments a ON a.id = sm.assessment_id
    WHERE sm.removed_at IS NULL
    UNION
    SELECT s.id, a.project, a.feed
    FROM sites s
    JOIN assessments a ON a.id = s.core_assessment_id
), counted AS (
    SELECT project, feed, count(*) AS sites FROM used GROUP BY project, feed
)
SELECT p.id, coalesce(c.sites, 0) AS sites
FROM projects p
LEFT JOIN counted c ON c.project = p.name AND c.feed = p.feed
WHERE p.sites <> coalesce(c.sites, 0)
ORDER BY p.id
