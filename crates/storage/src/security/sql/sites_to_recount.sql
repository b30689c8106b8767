-- Removed modules too: it costs nothing to recount a site too many.
SELECT id
FROM (
    SELECT id
    FROM (
        SELECT DISTINCT site_id AS id FROM site_modules WHERE assessment_id = $1 AND site_id > $2 ORDER BY site_id LIMIT $3
    ) m
    UNION
    SELECT id
    FROM (SELECT id FROM sites WHERE core_assessment_id = $1 AND id > $2 ORDER BY id LIMIT $3) c
) u
ORDER BY id
LIMIT $3
