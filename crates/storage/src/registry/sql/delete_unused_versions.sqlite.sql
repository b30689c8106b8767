DELETE FROM module_versions WHERE id IN (SELECT value FROM json_each($1))
