-- A version that only custom code had before gets its details with the first report of the release.
INSERT INTO module_versions (module_id, version, sort_key, details)
SELECT value ->> 'module_id', value ->> 'version', value ->> 'sort_key', value ->> 'details'
FROM json_each($1)
WHERE true
ON CONFLICT (module_id, version) DO UPDATE SET details = excluded.details
WHERE module_versions.details IS NULL AND excluded.details IS NOT NULL
