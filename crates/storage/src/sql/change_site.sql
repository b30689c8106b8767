-- A parameter that is NULL leaves its column; $4 tells whether $5 counts, because a limit may become NULL.
UPDATE sites
SET active = coalesce($2, active), strict_identity = coalesce($3, strict_identity),
    rate_limit = CASE WHEN $4 THEN $5 ELSE rate_limit END
WHERE id = $1
