-- What administrators have settled, for all sites first, and which of the names $3 are projects on drupal.org.
SELECT m.machine_name, true AS settled, t.project, t.site_id IS NULL AS for_all, EXISTS (
           SELECT 1 FROM projects p
           WHERE p.name = m.machine_name AND p.feed = $2 AND p.fetched_at IS NULL AND p.no_history_at IS NOT NULL
       ) AS absent
FROM settlements t
JOIN modules m ON m.id = t.module_id
WHERE t.site_id IS NULL OR t.site_id = $1
UNION ALL
SELECT n.value, false, NULL, true, false
FROM json_each($3) AS n
WHERE EXISTS (SELECT 1 FROM projects p WHERE p.name = n.value AND p.fetched_at IS NOT NULL)
ORDER BY for_all DESC
