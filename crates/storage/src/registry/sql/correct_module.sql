-- A flag before each value tells whether it counts, because a value may become NULL. The type has no words that would win
-- over those of releases.
UPDATE modules
SET name = CASE WHEN $2 THEN $3 ELSE name END, description = CASE WHEN $4 THEN $5 ELSE description END,
    project_link = CASE WHEN $6 THEN $7 ELSE project_link END, type = coalesce($9, type),
    corrected_at = CASE WHEN $2 OR $4 OR $6 THEN $8 ELSE corrected_at END, kept = true
WHERE machine_name = $1
