INSERT INTO site_module_events (site_id, sync_id, at, module_id, kind, from_version, to_version)
SELECT $1, $2, $3, r.module_id, r.kind, r.from_version, r.to_version
FROM unnest($4::bigint[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
    AS r (module_id, kind, from_version, to_version, position)
ORDER BY r.position
