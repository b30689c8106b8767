-- drupal.org's word for a module comes before that of the first report. In the order of names, so that syncs that introduce the same modules wait for each other in one order. A row that
-- another sync committed meanwhile is missing from the answer and found by the next statement.
WITH reported AS (
    SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        AS r (machine_name, type, name, description, project_link)
), inserted AS (
    INSERT INTO modules (machine_name, type, name, description, project_link, introduced_by, created_at)
    SELECT r.machine_name, r.type,
           CASE r.type WHEN 'contrib' THEN coalesce((SELECT max(p.title) FROM projects p WHERE p.name = r.machine_name), r.name) ELSE r.name END,
           r.description,
           CASE r.type WHEN 'contrib' THEN coalesce((SELECT max(p.link) FROM projects p WHERE p.name = r.machine_name), r.project_link) ELSE r.project_link END,
           $1, $2
    FROM reported r
    WHERE NOT EXISTS (SELECT FROM modules m WHERE m.machine_name = r.machine_name)
    ORDER BY r.machine_name COLLATE "C"
    ON CONFLICT (machine_name) DO NOTHING
    RETURNING id, machine_name, type
)
SELECT id, machine_name, type FROM inserted
UNION ALL
SELECT m.id, m.machine_name, m.type FROM modules m JOIN reported r ON r.machine_name = m.machine_name
