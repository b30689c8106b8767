-- In the order of keys, so that syncs that need the same assessments wait for each other in one order.
INSERT INTO assessments (
    feed, project, version, datestamp, sort_key, status, needs_update, class, reason, covered, security_updates, recommended,
    core_compatibility
)
SELECT $1, r.*
FROM unnest(
    $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[],
    $10::boolean[], $11::text[], $12::text[], $13::text[]
) AS r (project, version, datestamp, sort_key, status, needs_update, class, reason, covered, security_updates, recommended,
    core_compatibility)
ORDER BY r.project COLLATE "C", r.version COLLATE "C", r.datestamp
ON CONFLICT (project, feed, version, datestamp) DO NOTHING
