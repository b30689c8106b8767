INSERT INTO releases (
    project_id, position, version, status, date, released_at, link, insecure, unsupported, security_update, covered,
    core_compatibility
)
SELECT $1, value ->> 'position', value ->> 'version', value ->> 'status', value ->> 'date', value ->> 'released_at',
       value ->> 'link', value ->> 'insecure', value ->> 'unsupported', value ->> 'security_update',
       value ->> 'covered', value ->> 'core_compatibility'
FROM json_each($2)
