-- With LIMIT the text is read once, not once for each row of the site.
UPDATE site_modules AS sm
SET assessment_id = CASE WHEN r.assessed THEN r.assessment_id ELSE sm.assessment_id END, in_use = r.in_use,
    identification = r.identification
FROM (
    SELECT value ->> 'module_id' AS module_id, value ->> 'assessed' AS assessed, value ->> 'assessment_id' AS assessment_id,
           value ->> 'in_use' AS in_use, value ->> 'identification' AS identification
    FROM json_each($2)
    LIMIT -1
) AS r
WHERE sm.site_id = $1 AND sm.module_id = r.module_id
