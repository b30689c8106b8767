SELECT project, count(*) AS count
FROM assessments
WHERE introduced_by = $1 AND created_at > $2
GROUP BY project
