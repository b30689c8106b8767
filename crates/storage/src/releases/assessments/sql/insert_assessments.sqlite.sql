INSERT INTO assessments (
    feed, introduced_by, created_at, project, version, datestamp, sort_key, status, needs_update, class, reason, covered, security_updates, recommended,
    core_compatibility
)
SELECT $1, $2, $3, value ->> 'project', value ->> 'version', value ->> 'datestamp', value ->> 'sort_key', value ->> 'status',
       value ->> 'needs_update', value ->> 'class', value ->> 'reason', value ->> 'covered', value ->> 'security_updates',
       value ->> 'recommended', value ->> 'core_compatibility'
FROM json_each($4)
WHERE true
ON CONFLICT (project, feed, version, datestamp) DO NOTHING
RETURNING id, project, version, datestamp
