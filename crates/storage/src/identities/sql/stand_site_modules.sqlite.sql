UPDATE site_modules AS sm
SET assessment_id = CASE WHEN r.value ->> 'assessed' THEN r.value ->> 'assessment_id' ELSE sm.assessment_id END,
    in_use = r.value ->> 'in_use', identification = r.value ->> 'identification'
FROM json_each($2) AS r
WHERE sm.site_id = $1 AND sm.module_id = r.value ->> 'module_id'
