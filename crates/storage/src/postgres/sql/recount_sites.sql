-- The figures of sites and their findings, all from one look at their modules.
WITH notable AS MATERIALIZED (
    SELECT site_id, project, needs_update, counted, unknown
    FROM judged_modules
    WHERE site_id = ANY ($1) AND (needs_update OR unknown)
), figures AS (
    SELECT site_id, count(*) FILTER (WHERE counted) AS updates_found,
           count(DISTINCT project) FILTER (WHERE counted) AS projects, count(*) FILTER (WHERE unknown) AS unknown
    FROM notable
    GROUP BY site_id
), figures_of_all AS (
    SELECT r.id, coalesce(f.updates_found, 0) AS updates_found, coalesce(f.projects, 0) AS projects,
           coalesce(f.unknown, 0) AS unknown
    FROM unnest($1) AS r (id)
    LEFT JOIN figures f ON f.site_id = r.id
), closed AS (
    UPDATE security_findings f
    SET fixed_at = $2
    WHERE f.site_id = ANY ($1) AND f.fixed_at IS NULL
      AND NOT EXISTS (
          SELECT FROM notable n WHERE n.site_id = f.site_id AND n.project = f.project AND n.needs_update
      )
), opened AS (
    INSERT INTO security_findings (site_id, project, insecure_since)
    SELECT DISTINCT n.site_id, n.project, $2
    FROM notable n
    WHERE n.needs_update
      AND NOT EXISTS (
          SELECT FROM security_findings f
          WHERE f.site_id = n.site_id AND f.project = n.project AND f.fixed_at IS NULL
      )
)
UPDATE sites s
SET security_updates_found = c.updates_found, security_projects = c.projects, security_unknown = c.unknown
FROM figures_of_all c
WHERE s.id = c.id
  AND (s.security_updates_found, s.security_projects, s.security_unknown) <> (c.updates_found, c.projects, c.unknown)
