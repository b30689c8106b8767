-- In the order of ids, so that nodes which write at once wait for each other in one order.
SELECT id FROM sites WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
