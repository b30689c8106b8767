UPDATE projects AS p
SET introduced_by = $2, next_check_at = r.value ->> 'next_check_at'
FROM json_each($3) AS r
WHERE p.name = r.value ->> 'name' AND p.feed = $1 AND p.first_checked_at IS NULL
  AND p.next_check_at > r.value ->> 'next_check_at'
