UPDATE projects p
SET introduced_by = $2, next_check_at = r.next_check_at
FROM unnest($3::text[], $4::timestamptz[]) AS r (name, next_check_at)
WHERE p.name = r.name AND p.feed = $1 AND p.first_checked_at IS NULL AND p.next_check_at > r.next_check_at
