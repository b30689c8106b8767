-- $2: only of that feed. $3 and $4: only where a module is from that sort key on, before that one. $5: where the branch of
-- the upper bound begins; $6: only of that branch. $9 is a tag, see sites::queries::of_tag. A site has Drupal itself whether
-- or not it has reported core modules. There is always a row, for the totals; one without a site says nothing else. CROSS
-- JOIN has SQLite begin with what stands before it, which is little.
WITH hits AS (
    SELECT id, CASE WHEN $5 IS NULL THEN NULL WHEN sort_key >= $5 THEN 1 ELSE 0 END AS same
    FROM assessments
    WHERE project = $1 AND ($2 IS NULL OR feed = $2)
      AND ($3 IS NULL OR sort_key >= $3) AND ($4 IS NULL OR sort_key < $4)
), listed AS (
    SELECT u.site_id, s.name AS site_name, max(u.same) AS same
    FROM (
        SELECT sm.site_id, h.same
        FROM hits h
        CROSS JOIN site_modules sm
        WHERE sm.assessment_id = h.id AND sm.removed_at IS NULL AND $9 IS NULL
        UNION ALL
        SELECT c.site_id, h.same
        FROM hits h
        JOIN (SELECT id AS site_id, core_assessment_id FROM sites) c ON c.core_assessment_id = h.id
        WHERE $9 IS NULL
    ) u
    JOIN sites s ON s.id = u.site_id
    WHERE s.removed_at IS NULL
    GROUP BY u.site_id, s.name
), totals AS (
    SELECT coalesce(sum(same), 0) AS same_total, count(same) AS total FROM listed
), page AS (
    SELECT site_id, site_name, same
    FROM listed
    WHERE site_id > $7 AND (NOT $6 OR same = 1)
    ORDER BY site_id
    LIMIT $8
), parts AS (
    SELECT p.site_id, p.site_name, p.same, m.machine_name, j.version, j.status, j.sort_key
    FROM page p
    CROSS JOIN judged_modules j
    JOIN modules m ON m.id = j.module_id
    WHERE j.site_id = p.site_id AND j.project = $1
    UNION ALL
    SELECT p.site_id, p.site_name, p.same, NULL, a.version, a.status, a.sort_key
    FROM page p
    JOIN sites s ON s.id = p.site_id
    JOIN assessments a ON a.id = s.core_assessment_id AND a.project = $1
)
SELECT t.same_total, t.total, p.site_id, p.site_name, p.same, p.machine_name, p.version, p.status,
       CASE WHEN ($3 IS NULL OR p.sort_key >= $3) AND ($4 IS NULL OR p.sort_key < $4)
                 AND (coalesce(p.same, 0) = 0 OR p.sort_key >= $5) THEN 0 ELSE 1 END AS rank
FROM totals t
LEFT JOIN parts p ON true
ORDER BY p.site_id, rank, coalesce(p.sort_key, ''), p.version, p.machine_name
