WITH page AS (
    SELECT id, name, security_updates_found, security_projects, security_unsupported, security_unknown, coverage
    FROM sites
    WHERE id > $1 AND removed_at IS NULL
    ORDER BY id
    LIMIT $2
), figures AS (
    SELECT site_id, CAST(count(*) FILTER (WHERE counted) AS integer) AS updates_found,
           CAST(count(DISTINCT project) FILTER (WHERE counted) AS integer) AS projects,
           CAST(count(*) FILTER (WHERE in_use AND class = 'unsupported' AND acceptance_id IS NULL) AS integer)
               AS unsupported,
           CAST(count(*) FILTER (WHERE in_use AND class = 'unknown' AND acceptance_id IS NULL)
               + (SELECT s.unnamed_rejections FROM sites s WHERE s.id = site_id) AS integer) AS unknown,
           '[' || count(*) FILTER (WHERE in_use AND class = 'own')
           || ',' || count(*) FILTER (WHERE in_use AND class = 'secure')
           || ',' || count(*) FILTER (WHERE in_use AND class = 'secure' AND NOT covered)
           || ',' || count(*) FILTER (WHERE in_use AND class = 'insecure' AND acceptance_id IS NOT NULL)
           || ',' || count(*) FILTER (WHERE in_use AND class = 'unsupported' AND acceptance_id IS NOT NULL)
           || ',' || count(*) FILTER (WHERE in_use AND class = 'unknown' AND acceptance_id IS NOT NULL)
           || ',' || (count(*) FILTER (WHERE in_use AND reason = 'rejected' AND acceptance_id IS NULL)
                         + (SELECT s.unnamed_rejections FROM sites s WHERE s.id = site_id))
           || ',' || count(*) FILTER (WHERE in_use AND reason = 'unidentified' AND acceptance_id IS NULL)
           || ',' || count(*) FILTER (WHERE in_use AND reason = 'not_on_drupal_org' AND acceptance_id IS NULL)
           || ',' || count(*) FILTER (WHERE in_use AND reason = 'not_fetched' AND acceptance_id IS NULL)
           || ',' || count(*) FILTER (WHERE in_use AND reason = 'no_version' AND acceptance_id IS NULL)
           || ',' || count(*) FILTER (WHERE in_use AND reason = 'not_comparable' AND acceptance_id IS NULL)
           || ']' AS coverage
    FROM judged_modules
    WHERE site_id IN (SELECT id FROM page) AND in_use
    GROUP BY site_id
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
       p.security_unsupported AS stored_unsupported, p.security_unknown AS stored_unknown, p.coverage AS stored_coverage,
       coalesce(f.updates_found, 0) AS counted_updates_found, coalesce(f.projects, 0) AS counted_projects,
       coalesce(f.unsupported, 0) AS counted_unsupported, coalesce(f.unknown, 0) AS counted_unknown,
       coalesce(f.coverage, '[0,0,0,0,0,0,0,0,0,0,0,0]') AS counted_coverage,
       coalesce(w.count, 0) AS wrong_findings
FROM page p
LEFT JOIN figures f ON f.site_id = p.id
LEFT JOIN wrong w ON w.site_id = p.id
ORDER BY p.id
