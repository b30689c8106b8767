INSERT INTO site_module_events (site_id, sync_id, at, module_id, kind, from_version, to_version)
SELECT $1, $2, $3, value ->> 'module_id', value ->> 'kind', value ->> 'from_version', value ->> 'to_version'
FROM json_each($4)
ORDER BY key
