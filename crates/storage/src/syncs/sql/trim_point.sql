-- Of a sync, what it changed and what it was answered. From the newest back, up to the one with which it becomes too much.
SELECT id, CAST(kept - bytes AS bigint) AS kept
FROM (
    SELECT id, bytes, sum(bytes) OVER (ORDER BY id DESC) AS kept
    FROM (
        SELECT id, sum(bytes) AS bytes
        FROM (
            SELECT sync_id AS id, octet_length(changes) AS bytes FROM change_sets WHERE site_id = $1
            UNION ALL
            SELECT id, octet_length(warnings) + octet_length(rejected) FROM syncs WHERE site_id = $1
        ) parts
        GROUP BY id
    ) syncs
) running
WHERE kept > $2
ORDER BY id DESC
LIMIT 1
