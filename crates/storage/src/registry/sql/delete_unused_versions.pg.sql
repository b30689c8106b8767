DELETE FROM module_versions WHERE id = ANY ($1)
