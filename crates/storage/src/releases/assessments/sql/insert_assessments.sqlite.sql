INSERT INTO assessments (
    feed, project, version, datestamp, sort_key, status, needs_update, security_updates, recommended
)
SELECT $1, value ->> 'project', value ->> 'version', value ->> 'datestamp', value ->> 'sort_key', value ->> 'status',
       value ->> 'needs_update', value ->> 'security_updates', value ->> 'recommended'
FROM json_each($2)
