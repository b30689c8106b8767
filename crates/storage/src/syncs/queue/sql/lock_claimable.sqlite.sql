-- The site whose job has waited longest. The transaction holds the write lock already.
SELECT s.id
FROM queue_turns t
JOIN sites s ON s.id = t.site_id
WHERE t.due_at <= $1 AND s.active AND (s.busy_until IS NULL OR s.busy_until <= $2 OR s.busy_until > $3)
ORDER BY t.due_at
LIMIT 1
