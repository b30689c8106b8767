INSERT INTO module_versions (module_id, version, sort_key, details)
SELECT value ->> 'module_id', value ->> 'version', value ->> 'sort_key', value ->> 'details'
FROM json_each($1)
WHERE true
ON CONFLICT (module_id, version) DO NOTHING
