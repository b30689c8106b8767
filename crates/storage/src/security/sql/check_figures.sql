WITH page AS (
    SELECT id, name, security_updates_found, security_projects, security_unknown
    FROM sites
    WHERE id > $1 AND removed_at IS NULL
    ORDER BY id
    LIMIT $2
), figures AS (
    SELECT j.site_id, CAST(count(*) FILTER (WHERE j.counted) AS integer) AS updates_found,
           CAST(count(DISTINCT j.project) FILTER (WHERE j.counted) AS integer) AS projects,
           CAST(count(*) FILTER (WHERE j.unknown) AS integer) AS unknown
    FROM judged_modules j
    WHERE j.site_id IN (SELECT id FROM page) AND (j.counted OR j.unknown)
    GROUP BY j.site_id
), needed AS (
    SELECT DISTINCT j.site_id, j.project
    FROM judged_modules j
    WHERE j.site_id IN (SELECT id FROM page) AND j.needs_update
), known AS (
    SELECT f.site_id, f.project
    FROM security_findings f
    WHERE f.site_id IN (SELECT id FROM page) AND f.fixed_at IS NULL
), wrong AS (
    SELECT u.site_id, count(*) AS count
    FROM (
        SELECT * FROM (SELECT * FROM needed EXCEPT SELECT * FROM known) missing
        UNION ALL
        SELECT * FROM (SELECT * FROM known EXCEPT SELECT * FROM needed) needless
    ) u
    GROUP BY u.site_id
)
SELECT p.id, p.name, p.security_updates_found AS stored_updates_found, p.security_projects AS stored_projects,
       p.security_unknown AS stored_unknown, coalesce(f.updates_found, 0) AS counted_updates_found,
       coalesce(f.projects, 0) AS counted_projects, coalesce(f.unknown, 0) AS counted_unknown,
       coalesce(w.count, 0) AS wrong_findings
FROM page p
LEFT JOIN figures f ON f.site_id = p.id
LEFT JOIN wrong w ON w.site_id = p.id
ORDER BY p.id
