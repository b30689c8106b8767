-- Only of sites that no sync is at work on, which are locked for it: what a sync has read is there when it writes.
WITH old AS MATERIALIZED (
    SELECT sm.site_id, sm.module_id FROM site_modules sm WHERE sm.removed_at < $1 ORDER BY sm.removed_at LIMIT $2
), free AS MATERIALIZED (
    SELECT s.id
    FROM sites s
    WHERE s.id IN (SELECT o.site_id FROM old o) AND s.removed_at IS NULL
    ORDER BY s.id
    FOR NO KEY UPDATE SKIP LOCKED
)
DELETE FROM site_modules sm
USING old o
JOIN free f ON f.id = o.site_id
WHERE sm.site_id = o.site_id AND sm.module_id = o.module_id AND sm.removed_at < $1
