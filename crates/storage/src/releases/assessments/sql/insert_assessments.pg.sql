-- In the order of keys, so that syncs that need the same assessments wait for each other in one order.
INSERT INTO assessments (
    feed, introduced_by, created_at, project, version, datestamp, sort_key, status, needs_update, class, reason, covered, security_updates, recommended,
    core_compatibility
)
SELECT $1, $2, $3, r.*
FROM unnest(
    $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::boolean[], $10::text[], $11::text[],
    $12::boolean[], $13::text[], $14::text[], $15::text[]
) AS r (project, version, datestamp, sort_key, status, needs_update, class, reason, covered, security_updates, recommended,
    core_compatibility)
ORDER BY r.project COLLATE "C", r.version COLLATE "C", r.datestamp
ON CONFLICT (project, feed, version, datestamp) DO NOTHING
RETURNING id, project, version, datestamp
