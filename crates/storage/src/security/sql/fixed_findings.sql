-- $5 is a tag, see sites::queries::of_tag.
SELECT f.id, f.site_id, s.name AS site_name, f.project, f.insecure_since, f.fixed_at
FROM security_findings f
JOIN sites s ON s.id = f.site_id
WHERE f.fixed_at IS NOT NULL AND s.removed_at IS NULL AND f.id < $1
  AND ($2 IS NULL OR f.site_id = $2) AND ($3 IS NULL OR f.project = $3) AND $5 IS NULL
ORDER BY f.id DESC
LIMIT $4
