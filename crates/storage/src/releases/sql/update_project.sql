UPDATE projects
SET title = $2, type = $3, status = $4, link = $5, supported_branches = $6, supported_majors = $7,
    recommended_major = $8, default_major = $9, malformed = $10, content_hash = $11, fetched_at = $12, checked_at = $12,
    first_checked_at = coalesce(first_checked_at, $12), no_history_at = NULL, failures = 0, next_check_at = $13,
    etag = $14, last_modified = $15
WHERE id = $1
