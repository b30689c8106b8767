DELETE FROM assessments WHERE id = ANY ($1)
