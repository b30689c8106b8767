-- What asks for something to be done: of the class $8 or, where it is NULL, of all. $3 and $4: only that site, only that
-- project. $5: also what is disabled. $7 is a tag, see sites::queries::of_tag. One row for each site, project and class; what
-- no project judges has a slash and its name in place of a project, and the class belongs to the place, because a project may
-- be in several.
-- First come the sites, as many as are needed at the most; figures that are zero rule a site out where nobody has accepted
-- anything. Their modules are read once, and what may be large of them once the page is known.
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
          -- So that PostgreSQL asks for one site after the other, and does not join them all.
          LIMIT 1 OFFSET 0
      )
    ORDER BY s.site_id
    LIMIT $6 + 1
), listed AS MATERIALIZED (
    SELECT u.*, row_number() OVER (
               PARTITION BY u.site_id, u.place ORDER BY u.sort_key, u.version, u.machine_name
           ) AS nth,
           string_agg(u.machine_name, ' ') OVER (
               PARTITION BY u.site_id, u.place ORDER BY u.machine_name
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
           ) AS modules,
           count(*) OVER (PARTITION BY u.site_id, u.place)
               = count(u.acceptance_id) OVER (PARTITION BY u.site_id, u.place) AS accepted
    FROM (
        SELECT j.site_id, j.project, coalesce(j.project, '/' || m.machine_name) || ' ' || j.class AS place, m.machine_name,
               coalesce(j.version, v.version, '') AS version, coalesce(j.sort_key, '') AS sort_key, j.status, j.class,
               j.reason, j.assessment_id, j.acceptance_id
        FROM hits h
        CROSS JOIN judged_modules j
        LEFT JOIN modules m ON m.id = j.module_id
        LEFT JOIN module_versions v ON v.id = j.version_id
        WHERE j.site_id = h.site_id AND ($5 OR j.in_use) AND ($4 IS NULL OR coalesce(j.project, m.machine_name) = $4)
          AND j.class IN ('insecure', 'unsupported', 'unknown') AND ($8 IS NULL OR j.class = $8)
    ) u
    WHERE (u.site_id, u.place) > ($1, $2)
), page AS (
    SELECT * FROM listed WHERE nth = 1 ORDER BY site_id, place LIMIT $6
)
SELECT p.site_id, s.name AS site_name, p.project, f.insecure_since, p.modules, p.version, p.status, p.class,
       p.reason AS unknown_reason, a.recommended, coalesce(a.security_updates, '[]') AS security_updates,
       x.id AS acceptance_id, x.until, x.reason,
       octet_length(s.name) + coalesce(octet_length(p.modules), 0) + coalesce(octet_length(a.security_updates), 0)
           + coalesce(octet_length(x.reason), 0) AS bytes
FROM page p
JOIN sites s ON s.id = p.site_id
LEFT JOIN assessments a ON a.id = p.assessment_id
LEFT JOIN security_acceptances x ON p.accepted AND x.id = p.acceptance_id
LEFT JOIN security_findings f
    ON f.site_id = p.site_id AND f.project = p.project AND f.fixed_at IS NULL AND p.class = 'insecure'
ORDER BY p.site_id, p.place
LIMIT $6
