-- waits_until: the turn of a project that was never asked about and that another site than $2 introduced.
SELECT k.project, k.version, k.datestamp, a.id AS assessment_id, p.id AS project_id,
       CASE WHEN p.first_checked_at IS NULL AND p.introduced_by IS DISTINCT FROM $2 THEN p.next_check_at END AS waits_until
FROM unnest($3::text[], $4::text[], $5::bigint[]) AS k (project, version, datestamp)
LEFT JOIN projects p ON p.name = k.project AND p.feed = $1
LEFT JOIN assessments a
    ON a.project = k.project AND a.feed = $1 AND a.version = k.version AND a.datestamp = k.datestamp
