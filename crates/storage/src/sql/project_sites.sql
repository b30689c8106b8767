-- $2: only where a module is below that sort key. A site has Drupal itself whether or not it has reported core modules.
WITH hits AS (
    SELECT id FROM assessments WHERE project = $1 AND ($2 IS NULL OR sort_key < $2)
), page AS (
    SELECT id
    FROM (
        SELECT sm.site_id AS id
        FROM hits h
        JOIN site_modules sm ON sm.assessment_id = h.id
        JOIN sites s ON s.id = sm.site_id
        WHERE sm.removed_at IS NULL AND s.removed_at IS NULL AND sm.site_id > $3
        UNION
        SELECT s.id
        FROM hits h
        JOIN sites s ON s.core_assessment_id = h.id
        WHERE s.removed_at IS NULL AND s.id > $3
    ) u
    ORDER BY id
    LIMIT $4
)
SELECT p.id AS site_id, s.name AS site_name, m.machine_name, j.version, j.status, coalesce(j.sort_key, '') AS sort_key
FROM page p
JOIN sites s ON s.id = p.id
JOIN judged_modules j ON j.site_id = p.id AND j.project = $1
JOIN modules m ON m.id = j.module_id
UNION ALL
SELECT p.id, s.name, NULL, a.version, a.status, coalesce(a.sort_key, '')
FROM page p
JOIN sites s ON s.id = p.id
JOIN assessments a ON a.id = s.core_assessment_id AND a.project = $1
ORDER BY site_id, sort_key, version, machine_name
