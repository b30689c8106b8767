WITH figures AS (
    SELECT j.site_id, count(*) FILTER (WHERE j.counted) AS updates_found,
           count(DISTINCT j.project) FILTER (WHERE j.counted) AS projects, count(*) FILTER (WHERE j.unknown) AS unknown
    FROM judged_modules j
    WHERE j.site_id IN (SELECT value FROM json_each($1)) AND (j.counted OR j.unknown)
    GROUP BY j.site_id
), counted AS (
    SELECT r.value AS id, coalesce(f.updates_found, 0) AS updates_found, coalesce(f.projects, 0) AS projects,
           coalesce(f.unknown, 0) AS unknown
    FROM json_each($1) AS r
    LEFT JOIN figures f ON f.site_id = r.value
)
UPDATE sites AS s
SET security_updates_found = c.updates_found, security_projects = c.projects, security_unknown = c.unknown
FROM counted c
WHERE s.id = c.id
  AND (s.security_updates_found, s.security_projects, s.security_unknown) <> (c.updates_found, c.projects, c.unknown)
