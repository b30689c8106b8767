-- The site whose job has waited longest. Locks it, as whatever changes its jobs does; sites that are locked are passed
-- over. By the time it has the lock the job may have got company, so whose turn it is is read again.
SELECT s.id
FROM queue_turns t
JOIN sites s ON s.id = t.site_id
WHERE t.due_at <= $1 AND s.active AND (s.busy_until IS NULL OR s.busy_until <= $2 OR s.busy_until > $3)
ORDER BY t.due_at
LIMIT 1
FOR NO KEY UPDATE OF s SKIP LOCKED
