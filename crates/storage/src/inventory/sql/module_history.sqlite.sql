-- As module_history.pg.sql.
WITH RECURSIVE module AS (
    SELECT sm.module_id, coalesce($3, sm.last_change_sync) AS sync_id, coalesce($4, sm.last_change_position) AS position
    FROM site_modules sm
    JOIN modules m ON m.id = sm.module_id
    WHERE sm.site_id = $1 AND m.machine_name = $2
), chain AS (
    SELECT 1 AS n, c.sync_id, c.at, c.changes -> m.position AS change
    FROM module m
    JOIN change_sets c ON c.sync_id = m.sync_id AND c.site_id = $1
    WHERE c.changes -> m.position ->> 0 = m.module_id
    UNION ALL
    SELECT h.n + 1, c.sync_id, c.at, c.changes -> (h.change ->> 5)
    FROM chain h
    JOIN change_sets c ON c.sync_id = unhex(h.change ->> 4) AND c.site_id = $1
    WHERE h.n < $5
)
SELECT change ->> 1 AS kind, change ->> 2 AS from_version, change ->> 3 AS to_version, sync_id, at,
       unhex(change ->> 4) AS before_sync, change ->> 5 AS before_position
FROM chain
ORDER BY n
