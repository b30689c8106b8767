-- drupal.org's word for a module comes before that of the first report. In the order of names, so that syncs that introduce
-- the same modules wait for each other in one order. A row that another sync committed meanwhile is missing from the answer.
INSERT INTO modules (machine_name, type, name, description, project_link, introduced_by, created_at)
SELECT r.machine_name, r.type, coalesce(p.title, r.name), r.description, coalesce(p.link, r.project_link), $1, $2
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS r (machine_name, type, name, description, project_link)
LEFT JOIN LATERAL (
    SELECT max(p.title) AS title, max(p.link) AS link FROM projects p WHERE p.name = r.machine_name
) p ON r.type = 'contrib'
ORDER BY r.machine_name COLLATE "C"
ON CONFLICT (machine_name) DO NOTHING
RETURNING id, machine_name, type
