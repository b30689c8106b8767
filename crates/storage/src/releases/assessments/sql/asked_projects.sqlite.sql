SELECT id, name, feed, title, type, status, link, supported_branches, supported_majors, recommended_major, default_major,
       malformed, content_hash, fetched_at, checked_at, no_history_at, last_error, last_error_at, failures, etag,
       last_modified, next_check_at
FROM projects
WHERE feed = $1 AND name IN (SELECT value FROM json_each($2)) AND (fetched_at IS NOT NULL OR no_history_at IS NOT NULL)
