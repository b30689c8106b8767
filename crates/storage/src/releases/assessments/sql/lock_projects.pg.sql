-- In the order of names, as everybody locks them.
SELECT id, name, feed, title, type, status, link, supported_branches, supported_majors, recommended_major, default_major,
       malformed, content_hash, fetched_at, checked_at, no_history_at, last_error, last_error_at, failures, etag,
       last_modified, next_check_at
FROM projects
WHERE feed = $1 AND name = ANY ($2)
ORDER BY name
FOR NO KEY UPDATE
