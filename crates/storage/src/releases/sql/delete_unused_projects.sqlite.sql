DELETE FROM projects WHERE id IN (SELECT value FROM json_each($1))
