INSERT INTO releases (
    project_id, position, version, status, date, released_at, link, insecure, unsupported, security_update, covered,
    core_compatibility
)
SELECT $1, r.*
FROM unnest(
    $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::text[], $8::boolean[], $9::boolean[],
    $10::boolean[], $11::boolean[], $12::text[]
) AS r
