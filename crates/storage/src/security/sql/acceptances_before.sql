SELECT id, project, class, from_version, to_version, site_id, until, reason, created_at, created_by, ended_at,
       ended_reason
FROM security_acceptances
WHERE id < $1 AND ($2 OR ended_at IS NULL)
ORDER BY id DESC
LIMIT $3
