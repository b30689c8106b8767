-- As security_updates.sql, of the class $8 or, where it is NULL, of all that ask for something. What no project judges has
-- a slash and its name in place of a project; the class belongs to the place, because a project may be in several. $7 is a
-- tag, see sites::queries::of_tag. First come the sites, as many as are needed at the most; figures that are zero rule a
-- site out where nobody has accepted anything.
WITH hits AS (
    SELECT s.site_id
    FROM (
        SELECT id AS site_id, security_updates_found + security_unsupported + security_unknown AS figures
        FROM sites
        WHERE removed_at IS NULL
    ) s
    WHERE s.site_id >= $1 AND ($3 IS NULL OR s.site_id = $3) AND $7 IS NULL
      AND ($5 OR s.figures > 0 OR EXISTS (SELECT 1 FROM security_acceptances WHERE ended_at IS NULL))
      AND EXISTS (
          SELECT 1
          FROM judged_modules j
          LEFT JOIN modules m ON m.id = j.module_id
          WHERE j.site_id = s.site_id AND ($5 OR j.in_use) AND ($4 IS NULL OR coalesce(j.project, m.machine_name) = $4)
            AND j.class IN ('insecure', 'unsupported', 'unknown') AND ($8 IS NULL OR j.class = $8)
      )
    ORDER BY s.site_id
    LIMIT $6 + 1
), listed AS (
    SELECT j.site_id, j.module_id, j.version_id, j.project, coalesce(j.project, '/' || m.machine_name) || ' ' || j.class AS place,
           m.machine_name, j.version, j.sort_key, j.status, j.class, j.reason, j.recommended, j.security_updates,
           j.acceptance_id
    FROM hits h
    CROSS JOIN judged_modules j
    LEFT JOIN modules m ON m.id = j.module_id
    WHERE j.site_id = h.site_id AND ($5 OR j.in_use) AND ($4 IS NULL OR coalesce(j.project, m.machine_name) = $4)
      AND j.class IN ('insecure', 'unsupported', 'unknown') AND ($8 IS NULL OR j.class = $8)
), page AS (
    SELECT DISTINCT site_id, place
    FROM listed
    WHERE (site_id, place) > ($1, $2)
    ORDER BY site_id, place
    LIMIT $6
)
SELECT p.site_id, s.name AS site_name, l.project, f.insecure_since, l.machine_name,
       coalesce(l.version, v.version, '') AS version, l.status, l.class, l.reason AS unknown_reason, l.recommended,
       coalesce(l.security_updates, '[]') AS security_updates, l.acceptance_id, x.until, x.reason
FROM page p
JOIN listed l ON l.site_id = p.site_id AND l.place = p.place
JOIN sites s ON s.id = p.site_id
LEFT JOIN module_versions v ON v.id = l.version_id
LEFT JOIN security_acceptances x ON x.id = l.acceptance_id
LEFT JOIN security_findings f
    ON f.site_id = p.site_id AND f.project = l.project AND f.fixed_at IS NULL AND l.class = 'insecure'
ORDER BY p.site_id, p.place, l.class, coalesce(l.sort_key, ''), l.version, l.machine_name
