DELETE FROM releases WHERE project_id = $1
