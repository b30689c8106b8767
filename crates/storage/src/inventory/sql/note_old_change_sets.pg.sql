-- The sites are locked in the order of their ids first, as everybody does who locks several.
WITH old AS MATERIALIZED (
    SELECT c.site_id, max(c.at) AS at, sum(octet_length(c.changes)) AS bytes
    FROM (SELECT site_id, at, changes FROM change_sets WHERE sync_id < $1 ORDER BY sync_id LIMIT $2) c
    GROUP BY c.site_id
), locked AS MATERIALIZED (
    SELECT s.id FROM sites s WHERE s.id IN (SELECT site_id FROM old) ORDER BY s.id FOR NO KEY UPDATE
)
UPDATE sites
SET history_since = greatest(history_since, old.at), kept_bytes = greatest(kept_bytes - old.bytes, 0)
FROM old
JOIN locked ON locked.id = old.site_id
WHERE sites.id = old.site_id
