WITH figures AS (
    SELECT site_id, count(*) FILTER (WHERE counted) AS updates_found,
           count(DISTINCT project) FILTER (WHERE counted) AS projects,
           count(*) FILTER (WHERE in_use AND class = 'unsupported' AND acceptance_id IS NULL) AS unsupported,
           count(*) FILTER (WHERE in_use AND class = 'unknown' AND acceptance_id IS NULL)
               + (SELECT s.unnamed_rejections FROM sites s WHERE s.id = site_id) AS unknown,
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
    WHERE site_id IN (SELECT value FROM json_each($1)) AND in_use
    GROUP BY site_id
), counted AS (
    SELECT r.value AS id, coalesce(f.updates_found, 0) AS updates_found, coalesce(f.projects, 0) AS projects,
           coalesce(f.unsupported, 0) AS unsupported, coalesce(f.unknown, 0) AS unknown,
           coalesce(f.coverage, '[0,0,0,0,0,0,0,0,0,0,0,0]') AS coverage
    FROM json_each($1) AS r
    LEFT JOIN figures f ON f.site_id = r.value
)
UPDATE sites AS s
SET security_updates_found = c.updates_found, security_projects = c.projects,
    security_unsupported = c.unsupported, security_unknown = c.unknown, coverage = c.coverage
FROM counted c
WHERE s.id = c.id
  AND (s.security_updates_found, s.security_projects, s.security_unsupported, s.security_unknown, s.coverage)
      <> (c.updates_found, c.projects, c.unsupported, c.unknown, c.coverage)
