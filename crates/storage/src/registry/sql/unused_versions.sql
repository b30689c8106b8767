-- Of the versions from $1 to $2: whether they are older than $4 and no row of a site names them. A subquery for each of them, which the databases answer
-- from an index; they would read all rows to join them.
SELECT v.id,
       v.created_at < $4 AND (SELECT 1 FROM site_modules sm WHERE sm.version_id = v.id LIMIT 1) IS NULL AS unused
FROM module_versions v
WHERE v.id > $1 AND v.id <= $2
ORDER BY v.id
LIMIT $3
