SELECT id FROM sites WHERE leftovers ORDER BY id LIMIT 1
