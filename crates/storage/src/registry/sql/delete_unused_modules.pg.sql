DELETE FROM modules WHERE id = ANY ($1)
