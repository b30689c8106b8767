-- From the module's last change, or from the one that a page begins with, from each to the one before it: as many change
-- sets are read as changes are shown.
WITH RECURSIVE module AS (
    SELECT sm.module_id, coalesce($3, sm.last_change_sync) AS sync_id, coalesce($4, sm.last_change_position) AS position
    FROM site_modules sm
    JOIN modules m ON m.id = sm.module_id
    WHERE sm.site_id = $1 AND m.machine_name = $2
), chain AS (
    SELECT 1 AS n, c.sync_id, c.at, c.changes::json -> m.position AS change
    FROM module m
    JOIN change_sets c ON c.sync_id = m.sync_id AND c.site_id = $1
    WHERE (c.changes::json -> m.position ->> 0)::bigint = m.module_id
    UNION ALL
    SELECT h.n + 1, c.sync_id, c.at, c.changes::json -> (h.change ->> 5)::integer
    FROM chain h
    JOIN change_sets c ON c.sync_id = (h.change ->> 4)::uuid AND c.site_id = $1
    WHERE h.n < $5
)
SELECT change ->> 1 AS kind, change ->> 2 AS from_version, change ->> 3 AS to_version, sync_id, at,
       (change ->> 4)::uuid AS before_sync, (change ->> 5)::integer AS before_position
FROM chain
ORDER BY n
