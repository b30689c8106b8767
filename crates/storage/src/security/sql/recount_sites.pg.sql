-- The figures of the sites $2 and their findings, all from one look at their modules, and the word to whoever wants it.
WITH notable AS MATERIALIZED (
    SELECT site_id, project, needs_update, counted, unknown
    FROM judged_modules
    WHERE site_id = ANY ($2) AND (needs_update OR unknown)
), figures AS (
    SELECT site_id, count(*) FILTER (WHERE counted) AS updates_found,
           count(DISTINCT project) FILTER (WHERE counted) AS projects, count(*) FILTER (WHERE unknown) AS unknown
    FROM notable
    GROUP BY site_id
), figures_of_all AS (
    SELECT r.id, coalesce(f.updates_found, 0) AS updates_found, coalesce(f.projects, 0) AS projects,
           coalesce(f.unknown, 0) AS unknown
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
SET security_updates_found = c.updates_found, security_projects = c.projects, security_unknown = c.unknown
FROM figures_of_all c
WHERE s.id = c.id
  AND (s.security_updates_found, s.security_projects, s.security_unknown) <> (c.updates_found, c.projects, c.unknown)
