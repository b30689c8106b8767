-- A version that only custom code had before gets its details with the first report of the release.
INSERT INTO module_versions (introduced_by, created_at, module_id, version, sort_key, details, released_at)
SELECT $1, $2, value ->> 'module_id', value ->> 'version', value ->> 'sort_key', value ->> 'details', (
    SELECT max(x.released_at)
    FROM projects p
    JOIN releases x ON x.project_id = p.id AND x.version = value ->> 'version'
    WHERE p.name = value ->> 'dated_by'
)
FROM json_each($3)
WHERE true
ON CONFLICT (module_id, version) DO UPDATE
SET details = excluded.details, introduced_by = excluded.introduced_by, created_at = excluded.created_at
WHERE module_versions.details IS NULL AND excluded.details IS NOT NULL
RETURNING id, module_id, version, details IS NOT NULL AS described
