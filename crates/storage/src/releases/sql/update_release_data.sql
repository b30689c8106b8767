UPDATE release_data SET as_of = (SELECT min(checked_at) FROM projects)
