-- What of a day's lookups a site has spoken for.
SELECT count(*) AS count
FROM projects
WHERE introduced_by = $1 AND (first_checked_at IS NULL OR first_checked_at > $2)
