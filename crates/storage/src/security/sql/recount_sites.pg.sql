-- The figures of the sites $2 and their findings, all from one look at their modules, and the word to whoever wants it.
WITH notable AS MATERIALIZED (
    SELECT site_id, project, needs_update, counted, in_use, class, reason, covered, acceptance_id
    FROM judged_modules
    WHERE site_id = ANY ($2) AND (needs_update OR in_use)
), figures AS (
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
    FROM notable
    GROUP BY site_id
), figures_of_all AS (
    SELECT r.id, coalesce(f.updates_found, 0) AS updates_found, coalesce(f.projects, 0) AS projects,
           coalesce(f.unsupported, 0) AS unsupported, coalesce(f.unknown, 0) AS unknown,
           coalesce(f.coverage, '[0,0,0,0,0,0,0,0,0,0,0,0]') AS coverage
    FROM unnest($2::bigint[]) AS r (id)
    LEFT JOIN figures f ON f.site_id = r.id
), closed AS (
    UPDATE security_findings f
    SET fixed_at = $1
    WHERE f.site_id = ANY ($2) AND f.fixed_at IS NULL
      AND NOT EXISTS (
          SELECT FROM notable n WHERE n.site_id = f.site_id AND n.project = f.project AND n.needs_update
      )
    RETURNING f.site_id, f.project
), opened AS (
    INSERT INTO security_findings (site_id, project, insecure_since)
    SELECT DISTINCT n.site_id, n.project, $1
    FROM notable n
    WHERE n.needs_update
      AND NOT EXISTS (
          SELECT FROM security_findings f
          WHERE f.site_id = n.site_id AND f.project = n.project AND f.fixed_at IS NULL
      )
    RETURNING site_id, project
), told AS (
    INSERT INTO outbox (kind, site_id, at, data)
    SELECT e.kind, e.site_id, $1, json_build_object('project', e.project)::text
    FROM (
        SELECT 'security.fixed' AS kind, site_id, project FROM closed
        UNION ALL
        SELECT 'security.update_available', site_id, project FROM opened
    ) e
    WHERE EXISTS (SELECT FROM wanted_events w WHERE w.site_id = e.site_id AND w.kind = e.kind)
    ORDER BY e.site_id, e.project
)
UPDATE sites s
SET security_updates_found = c.updates_found, security_projects = c.projects,
    security_unsupported = c.unsupported, security_unknown = c.unknown, coverage = c.coverage
FROM figures_of_all c
WHERE s.id = c.id
  AND (s.security_updates_found, s.security_projects, s.security_unsupported, s.security_unknown, s.coverage)
      <> (c.updates_found, c.projects, c.unsupported, c.unknown, c.coverage)
