SELECT m.id, m.machine_name, m.type
FROM json_each($1) r
JOIN modules m ON m.machine_name = r.value
