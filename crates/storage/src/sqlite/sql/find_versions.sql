SELECT v.id, v.module_id, v.version
FROM json_each($1) r
JOIN module_versions v ON v.module_id = r.value ->> 'module_id' AND v.version = r.value ->> 'version'
