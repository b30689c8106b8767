-- With their sites, which stay locked. What another node or a sync has in hand is left to it, so that nothing here waits.
SELECT r.site_id AS id
FROM recounts r
JOIN sites s ON s.id = r.site_id
WHERE NOT r.identify
ORDER BY r.requested_at, r.site_id
LIMIT $1
FOR UPDATE OF r SKIP LOCKED
FOR NO KEY UPDATE OF s SKIP LOCKED
