-- $2 to $3: the names that begin alike. $4: only that type.
SELECT machine_name, type, name, description, project_link, created_at, corrected_at
FROM modules
WHERE machine_name > $1 AND machine_name >= $2 AND machine_name <= $3 AND ($4 IS NULL OR type = $4)
ORDER BY machine_name
LIMIT $5
