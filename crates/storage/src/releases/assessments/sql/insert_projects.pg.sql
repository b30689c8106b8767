-- In the order of names, so that syncs that introduce the same projects wait for each other in one order.
INSERT INTO projects (name, feed, introduced_by, created_at, next_check_at)
SELECT r.name, $1, $2, $3, r.next_check_at
FROM unnest($4::text[], $5::timestamptz[]) AS r (name, next_check_at)
ORDER BY r.name COLLATE "C"
ON CONFLICT (name, feed) DO NOTHING
