INSERT INTO site_modules (
    site_id, module_id, version_id, enabled, type, extension, project, datestamp, schema_version, security_coverage,
    own_details, assessment_id, in_use, identification, rejected, first_seen, last_updated, last_reported_at
)
SELECT $1, r.*, $2, $2, $2
FROM unnest(
    $3::bigint[], $4::bigint[], $5::boolean[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::integer[],
    $11::boolean[], $12::text[], $13::bigint[], $14::boolean[], $15::text[], $16::text[]
) AS r
ON CONFLICT (site_id, module_id) DO UPDATE
SET version_id = excluded.version_id, enabled = excluded.enabled, type = excluded.type,
    extension = excluded.extension, project = excluded.project, datestamp = excluded.datestamp,
    schema_version = excluded.schema_version, security_coverage = excluded.security_coverage,
    own_details = excluded.own_details, assessment_id = excluded.assessment_id, in_use = excluded.in_use,
    identification = excluded.identification, rejected = excluded.rejected, last_updated = excluded.last_updated,
    last_reported_at = excluded.last_reported_at, removed_at = NULL, last_seen = NULL
