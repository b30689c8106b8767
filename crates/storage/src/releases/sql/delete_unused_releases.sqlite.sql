DELETE FROM releases WHERE project_id IN (SELECT value FROM json_each($1))
