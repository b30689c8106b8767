INSERT INTO site_modules (
    site_id, module_id, version_id, enabled, type, extension, project, datestamp, schema_version, security_coverage,
    own_details, base_theme, item_hash, assessment_id, in_use, identification, rejected, last_change_position,
    last_change_sync, first_seen, last_updated, last_reported_at
)
SELECT $1, r.*, CASE WHEN r.change IS NOT NULL THEN $3::uuid END, $2, $2, $2
FROM unnest(
    $4::bigint[], $5::bigint[], $6::boolean[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::integer[],
    $12::boolean[], $13::text[], $14::text[], $15::bytea[], $16::bigint[], $17::boolean[], $18::text[], $19::text[],
    $20::integer[]
) AS r (
    module_id, version_id, enabled, type, extension, project, datestamp, schema_version, security_coverage, own_details,
    base_theme, item_hash, assessment_id, in_use, identification, rejected, change
)
ON CONFLICT (site_id, module_id) DO UPDATE
SET version_id = excluded.version_id, enabled = excluded.enabled, type = excluded.type,
    extension = excluded.extension, project = excluded.project, datestamp = excluded.datestamp,
    schema_version = excluded.schema_version, security_coverage = excluded.security_coverage,
    own_details = excluded.own_details, base_theme = excluded.base_theme, item_hash = excluded.item_hash,
    assessment_id = excluded.assessment_id, in_use = excluded.in_use, identification = excluded.identification,
    rejected = excluded.rejected,
    last_change_sync = coalesce(excluded.last_change_sync, site_modules.last_change_sync),
    last_change_position = coalesce(excluded.last_change_position, site_modules.last_change_position),
    last_updated = excluded.last_updated, last_reported_at = excluded.last_reported_at, removed_at = NULL,
    last_seen = NULL
