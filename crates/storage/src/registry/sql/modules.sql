-- $2 to $3: the names that begin alike. $4: only that type.
SELECT machine_name, type, name, description, project_link, created_at, corrected_at,
       octet_length(machine_name) + coalesce(octet_length(name), 0) + coalesce(octet_length(description), 0)
           + coalesce(octet_length(project_link), 0) AS bytes
FROM modules
WHERE machine_name > $1 AND machine_name >= $2 AND machine_name <= $3 AND ($4 IS NULL OR type = $4)
ORDER BY machine_name
LIMIT $5
