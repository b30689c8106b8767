-- The oldest of what a site has beyond the $2 newest.
DELETE FROM rejected_syncs
WHERE id IN (
    SELECT r.id
    FROM rejected_syncs r
    WHERE r.site_id = $1
      AND r.id <= (SELECT n.id FROM rejected_syncs n WHERE n.site_id = $1 ORDER BY n.id DESC LIMIT 1 OFFSET $2)
    ORDER BY r.id
    LIMIT $3
)
