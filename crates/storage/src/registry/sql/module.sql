SELECT machine_name, type, name, description, project_link, created_at, corrected_at
FROM modules
WHERE machine_name = $1
