SELECT id, project, class, from_version, to_version, site_id, until, reason, created_at, created_by, ended_at,
       ended_reason
FROM security_acceptances
WHERE ended_at IS NULL AND until <= $1
ORDER BY until
LIMIT $2
