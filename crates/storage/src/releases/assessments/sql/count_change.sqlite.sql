UPDATE release_data SET changes = changes + 1
