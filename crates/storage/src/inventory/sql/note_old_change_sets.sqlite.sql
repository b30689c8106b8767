UPDATE sites
SET history_since = CASE WHEN history_since > old.at THEN history_since ELSE old.at END,
    kept_bytes = CASE WHEN kept_bytes > old.bytes THEN kept_bytes - old.bytes ELSE 0 END
FROM (
    SELECT c.site_id, max(c.at) AS at, sum(octet_length(c.changes)) AS bytes
    FROM (SELECT site_id, at, changes FROM change_sets WHERE sync_id < $1 ORDER BY sync_id LIMIT $2) c
    GROUP BY c.site_id
) old
WHERE sites.id = old.site_id
