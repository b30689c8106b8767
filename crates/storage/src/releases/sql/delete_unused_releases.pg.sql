DELETE FROM releases WHERE project_id = ANY ($1)
