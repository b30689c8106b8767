-- Those of a site that were closed longest ago, beyond the $2 closed last.
DELETE FROM security_findings
WHERE id IN (
    SELECT f.id
    FROM security_findings f
    WHERE f.site_id = $1 AND f.fixed_at IS NOT NULL
      AND (f.fixed_at, f.id) <= (
          SELECT n.fixed_at, n.id
          FROM security_findings n
          WHERE n.site_id = $1 AND n.fixed_at IS NOT NULL
          ORDER BY n.fixed_at DESC, n.id DESC
          LIMIT 1 OFFSET $2
      )
    ORDER BY f.fixed_at, f.id
    LIMIT $3
)
