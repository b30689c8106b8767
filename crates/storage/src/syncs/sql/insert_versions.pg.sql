-- As insert_modules.pg.sql. A version that only custom code had before gets its details with the first report of the
-- release. dated_by: the project whose releases have the version, where it is one.
INSERT INTO module_versions (introduced_by, created_at, module_id, version, sort_key, details, released_at)
SELECT $1, $2, r.module_id, r.version, r.sort_key, r.details, (
    SELECT max(x.released_at)
    FROM projects p
    JOIN releases x ON x.project_id = p.id AND x.version = r.version
    WHERE p.name = r.dated_by
)
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS r (module_id, version, sort_key, details, dated_by)
ORDER BY r.module_id, r.version COLLATE "C"
ON CONFLICT (module_id, version) DO UPDATE
SET details = excluded.details, introduced_by = excluded.introduced_by, created_at = excluded.created_at
WHERE module_versions.details IS NULL AND excluded.details IS NOT NULL
RETURNING id, module_id, version, details IS NOT NULL AS described
