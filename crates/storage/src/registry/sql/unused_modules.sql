-- As unused_versions.sql. What an administrator has corrected or settled stays, and so does what has versions.
SELECT m.id,
       m.created_at < $4 AND NOT m.kept
           AND (SELECT 1 FROM site_modules sm WHERE sm.module_id = m.id LIMIT 1) IS NULL
           AND (SELECT 1 FROM module_versions v WHERE v.module_id = m.id LIMIT 1) IS NULL
           AND (SELECT 1 FROM settlements t WHERE t.module_id = m.id LIMIT 1) IS NULL AS unused
FROM modules m
WHERE m.id > $1 AND m.id <= $2
ORDER BY m.id
LIMIT $3
