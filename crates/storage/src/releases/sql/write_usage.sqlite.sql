UPDATE projects AS p SET sites = r.value ->> 'sites' FROM json_each($1) AS r WHERE p.id = r.value ->> 'id'
