-- As security_updates.sql, of the class $8 or, where it is NULL, of all that ask for something. $7 is a tag, see
-- sites::queries::of_tag.
WITH page AS (
    SELECT DISTINCT j.site_id, j.project
    FROM judged_modules j
    WHERE (j.site_id, j.project) > ($1, $2) AND ($3 IS NULL OR j.site_id = $3) AND ($4 IS NULL OR j.project = $4)
      AND ($5 OR j.enabled) AND j.class IN ('insecure', 'unsupported', 'unknown') AND ($8 IS NULL OR j.class = $8)
      AND $7 IS NULL
    ORDER BY j.site_id, j.project
    LIMIT $6
)
SELECT p.site_id, s.name AS site_name, p.project, f.insecure_since, m.machine_name, j.version, j.status, j.class,
       j.reason AS unknown_reason, j.recommended, j.security_updates, j.acceptance_id, x.until, x.reason
FROM page p
JOIN sites s ON s.id = p.site_id
JOIN judged_modules j ON j.site_id = p.site_id AND j.project = p.project AND ($5 OR j.enabled)
 AND j.class IN ('insecure', 'unsupported', 'unknown') AND ($8 IS NULL OR j.class = $8)
LEFT JOIN modules m ON m.id = j.module_id
LEFT JOIN security_acceptances x ON x.id = j.acceptance_id
LEFT JOIN security_findings f
    ON f.site_id = p.site_id AND f.project = p.project AND f.fixed_at IS NULL AND j.class = 'insecure'
ORDER BY p.site_id, p.project, j.class, coalesce(j.sort_key, ''), j.version, m.machine_name
