-- The oldest of what a site has beyond the $2 newest.
DELETE FROM site_events
WHERE id IN (
    SELECT e.id
    FROM site_events e
    WHERE e.site_id = $1
      AND e.id <= (SELECT n.id FROM site_events n WHERE n.site_id = $1 ORDER BY n.id DESC LIMIT 1 OFFSET $2)
    ORDER BY e.id
    LIMIT $3
)
