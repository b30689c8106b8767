INSERT INTO security_acceptances (
    id, project, class, feed, from_version, from_key, to_version, to_key, site_id, until, reason, created_at, created_by
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
