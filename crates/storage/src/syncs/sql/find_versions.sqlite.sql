SELECT v.id, v.module_id, v.version, v.details IS NOT NULL AS described
FROM json_each($1) r
JOIN module_versions v ON v.module_id = r.value ->> 'module_id' AND v.version = r.value ->> 'version'
