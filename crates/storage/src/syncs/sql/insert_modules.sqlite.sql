INSERT INTO modules (machine_name, type, name, description, project_link, created_at)
SELECT value ->> 'machine_name', value ->> 'type', value ->> 'name', value ->> 'description',
       value ->> 'project_link', $1
FROM json_each($2)
WHERE true
ON CONFLICT (machine_name) DO NOTHING
RETURNING id, machine_name, type
