-- As insert_modules.pg.sql. A version that only custom code had before gets its details with the first report of the
-- release.
WITH reported AS (
    SELECT * FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) AS r (module_id, version, sort_key, details)
), inserted AS (
    INSERT INTO module_versions (introduced_by, created_at, module_id, version, sort_key, details, released_at)
    SELECT $1, $2, r.module_id, r.version, r.sort_key, r.details, (
        SELECT max(x.released_at)
        FROM modules m
        JOIN projects p ON p.name = CASE m.type WHEN 'core' THEN 'drupal' ELSE m.machine_name END
        JOIN releases x ON x.project_id = p.id AND x.version = r.version
        WHERE m.id = r.module_id AND m.type <> 'custom'
    )
    FROM reported r
    WHERE NOT EXISTS (
        SELECT FROM module_versions v
        WHERE v.module_id = r.module_id AND v.version = r.version AND (v.details IS NOT NULL OR r.details IS NULL)
    )
    ORDER BY r.module_id, r.version COLLATE "C"
    ON CONFLICT (module_id, version) DO UPDATE
        SET details = excluded.details, introduced_by = excluded.introduced_by, created_at = excluded.created_at
        WHERE module_versions.details IS NULL AND excluded.details IS NOT NULL
    RETURNING id, module_id, version, details
)
SELECT id, module_id, version, details IS NOT NULL AS described FROM inserted
UNION ALL
SELECT v.id, v.module_id, v.version, v.details IS NOT NULL
FROM module_versions v
JOIN reported r ON r.module_id = v.module_id AND r.version = v.version AND (v.details IS NOT NULL OR r.details IS NULL)
