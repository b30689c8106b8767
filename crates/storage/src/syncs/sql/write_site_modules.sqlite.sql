INSERT INTO site_modules (
    site_id, module_id, version_id, enabled, type, extension, project, datestamp, schema_version, security_coverage,
    own_details, base_theme, item_hash, assessment_id, in_use, identification, rejected, last_change_position,
    last_change_sync, first_seen, last_updated, last_reported_at
)
SELECT $1, value ->> 'module_id', value ->> 'version_id', value ->> 'enabled', value ->> 'type',
       value ->> 'extension', value ->> 'project', value ->> 'datestamp', value ->> 'schema_version',
       value ->> 'security_coverage', value ->> 'own_details', value ->> 'base_theme', unhex(value ->> 'item_hash'),
       value ->> 'assessment_id', value ->> 'in_use', value ->> 'identification', value ->> 'rejected',
       value ->> 'change', CASE WHEN value ->> 'change' IS NOT NULL THEN $3 END, $2, $2, $2
FROM json_each($4)
WHERE true
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
