-- The site whose job has waited longest. The transaction holds the write lock already.
SELECT s.id
FROM queue_heads h
JOIN sites s ON s.id = h.site_id
WHERE h.due_at <= $1 AND s.active
ORDER BY h.due_at
LIMIT 1
