-- A flag before each value tells whether it counts, because a value may become NULL.
UPDATE modules
SET name = CASE WHEN $2 THEN $3 ELSE name END, description = CASE WHEN $4 THEN $5 ELSE description END,
    project_link = CASE WHEN $6 THEN $7 ELSE project_link END, corrected_at = $8
WHERE machine_name = $1
