DELETE FROM projects WHERE id = ANY ($1)
