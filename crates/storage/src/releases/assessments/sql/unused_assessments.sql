-- Of the assessments from $1 to $2: whether no site uses them. A subquery for each of them, which the databases answer from
-- an index. What was introduced since $4 still counts in its site's share of a day.
SELECT a.id,
       a.created_at < $4
           AND (SELECT 1 FROM site_modules sm WHERE sm.assessment_id = a.id LIMIT 1) IS NULL
           AND (SELECT 1 FROM sites s WHERE s.core_assessment_id = a.id LIMIT 1) IS NULL AS unused
FROM assessments a
WHERE a.id > $1 AND a.id <= $2
ORDER BY a.id
LIMIT $3
