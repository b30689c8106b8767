-- $2: a day ago, $4: how many projects may be asked for on a site's account for the first time since then.
WITH due AS (
    SELECT p.*, row_number() OVER (PARTITION BY introduced_by, first_checked_at IS NULL ORDER BY next_check_at, id) AS place
    FROM projects p
    WHERE next_check_at <= $1
)
SELECT id, name, feed, title, type, status, link, supported_branches, supported_majors, recommended_major, default_major,
       malformed, content_hash, fetched_at, checked_at, no_history_at, last_error, last_error_at, failures, etag,
       last_modified, next_check_at
FROM due
WHERE first_checked_at IS NOT NULL OR introduced_by IS NULL
   OR place <= $4 - (SELECT count(*) FROM projects c WHERE c.introduced_by = due.introduced_by AND c.first_checked_at > $2)
ORDER BY next_check_at, sites DESC, id
LIMIT $3
