-- To be run before the findings are closed and opened, because it asks for the same.
INSERT INTO outbox (kind, site_id, at, data)
SELECT e.kind, e.site_id, $1, json_object('project', e.project)
FROM (
    SELECT 'security.fixed' AS kind, f.site_id, f.project
    FROM security_findings f
    WHERE f.site_id IN (SELECT value FROM json_each($2)) AND f.fixed_at IS NULL
      AND EXISTS (SELECT 1 FROM wanted_events w WHERE w.site_id = f.site_id AND w.kind = 'security.fixed')
      AND NOT EXISTS (
          SELECT 1 FROM judged_modules j WHERE j.site_id = f.site_id AND j.project = f.project AND j.needs_update
      )
    UNION ALL
    SELECT DISTINCT 'security.update_available', j.site_id, j.project
    FROM judged_modules j
    WHERE j.site_id IN (SELECT value FROM json_each($2)) AND j.needs_update
      AND EXISTS (SELECT 1 FROM wanted_events w WHERE w.site_id = j.site_id AND w.kind = 'security.update_available')
      AND NOT EXISTS (
          SELECT 1
          FROM security_findings f
          WHERE f.site_id = j.site_id AND f.project = j.project AND f.fixed_at IS NULL
      )
) e
ORDER BY e.site_id, e.project
