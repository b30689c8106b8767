SELECT v.id, v.module_id, v.version, v.details IS NOT NULL AS described
FROM module_versions v
JOIN unnest($1::bigint[], $2::text[]) AS r (module_id, version) ON r.module_id = v.module_id AND r.version = v.version
