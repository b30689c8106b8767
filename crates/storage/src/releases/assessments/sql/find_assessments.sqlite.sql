-- waits_until: the turn of a project that was never asked about and that another site than $2 introduced.
SELECT k.value ->> 'project' AS project, k.value ->> 'version' AS version, k.value ->> 'datestamp' AS datestamp,
       a.id AS assessment_id, p.id AS project_id,
       CASE WHEN p.first_checked_at IS NULL AND p.introduced_by IS NOT $2 THEN p.next_check_at END AS waits_until
FROM json_each($3) AS k
LEFT JOIN projects p ON p.name = k.value ->> 'project' AND p.feed = $1
LEFT JOIN assessments a
    ON a.project = k.value ->> 'project' AND a.feed = $1 AND a.version = k.value ->> 'version'
   AND a.datestamp = k.value ->> 'datestamp'
