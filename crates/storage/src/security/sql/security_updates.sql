-- $3 and $4: only that site, only that project. $5: also where only disabled modules need an update. $7 is a tag, see
-- sites::queries::of_tag.
WITH page AS (
    SELECT f.site_id, f.project, f.insecure_since
    FROM security_findings f
    WHERE f.fixed_at IS NULL AND (f.site_id, f.project) > ($1, $2)
      AND ($3 IS NULL OR f.site_id = $3) AND ($4 IS NULL OR f.project = $4) AND $7 IS NULL
      AND EXISTS (
          SELECT 1
          FROM judged_modules j
          WHERE j.site_id = f.site_id AND j.project = f.project AND j.needs_update AND ($5 OR j.in_use)
      )
    ORDER BY f.site_id, f.project
    LIMIT $6
)
SELECT p.site_id, s.name AS site_name, p.project, p.insecure_since, m.machine_name, j.version, j.status, j.class,
       j.reason AS unknown_reason, j.recommended, j.security_updates, j.acceptance_id, x.until, x.reason
FROM page p
JOIN sites s ON s.id = p.site_id
JOIN judged_modules j ON j.site_id = p.site_id AND j.project = p.project AND j.needs_update AND ($5 OR j.in_use)
LEFT JOIN modules m ON m.id = j.module_id
LEFT JOIN security_acceptances x ON x.id = j.acceptance_id
ORDER BY p.site_id, p.project, coalesce(j.sort_key, ''), j.version, m.machine_name
