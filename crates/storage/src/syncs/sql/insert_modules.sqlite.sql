-- drupal.org's word for a module comes before that of the first report.
INSERT INTO modules (machine_name, type, name, description, project_link, introduced_by, created_at)
SELECT value ->> 'machine_name', value ->> 'type',
       CASE value ->> 'type' WHEN 'contrib' THEN coalesce((SELECT max(p.title) FROM projects p WHERE p.name = json_each.value ->> 'machine_name'), value ->> 'name') ELSE value ->> 'name' END,
       value ->> 'description',
       CASE value ->> 'type' WHEN 'contrib' THEN coalesce((SELECT max(p.link) FROM projects p WHERE p.name = json_each.value ->> 'machine_name'), value ->> 'project_link') ELSE value ->> 'project_link' END,
       $1, $2
FROM json_each($3)
WHERE true
ON CONFLICT (machine_name) DO NOTHING
RETURNING id, machine_name, type
