-- waits_until: the turn of a project that was never asked about and that another site than $2 introduced.
SELECT k.value AS name, p.id IS NOT NULL AS there, p.first_checked_at IS NOT NULL AS asked,
       CASE WHEN p.first_checked_at IS NULL AND p.introduced_by IS NOT $2 THEN p.next_check_at END AS waits_until
FROM json_each($3) AS k
LEFT JOIN projects p ON p.name = k.value AND p.feed = $1
