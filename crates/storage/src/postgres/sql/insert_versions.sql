-- As insert_modules.sql.
WITH reported AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS r (module_id, version, sort_key, details)
), inserted AS (
    INSERT INTO module_versions (module_id, version, sort_key, details)
    SELECT r.module_id, r.version, r.sort_key, r.details
    FROM reported r
    WHERE NOT EXISTS (
        SELECT FROM module_versions v WHERE v.module_id = r.module_id AND v.version = r.version
    )
    ORDER BY r.module_id, r.version COLLATE "C"
    ON CONFLICT (module_id, version) DO NOTHING
    RETURNING id, module_id, version
)
SELECT id, module_id, version FROM inserted
UNION ALL
SELECT v.id, v.module_id, v.version
FROM module_versions v
JOIN reported r ON r.module_id = v.module_id AND r.version = v.version
