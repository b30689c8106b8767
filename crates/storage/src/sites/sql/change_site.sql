-- A parameter that is NULL leaves its column. What may become NULL has a flag before it that tells whether it counts.
UPDATE sites
SET name = coalesce($2, name), active = coalesce($3, active), strict_identity = coalesce($4, strict_identity),
    mass_removal = coalesce($5, mass_removal), conflict = coalesce($6, conflict),
    url = CASE WHEN $7 THEN $8 ELSE url END,
    environment = CASE WHEN $9 THEN $10 ELSE environment END,
    rate_limit = CASE WHEN $11 THEN $12 ELSE rate_limit END,
    silent_after = CASE WHEN $13 THEN $14 ELSE silent_after END
WHERE id = $1 AND removed_at IS NULL
