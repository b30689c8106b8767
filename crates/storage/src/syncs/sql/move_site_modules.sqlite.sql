UPDATE site_modules AS sm
SET assessment_id = r.value ->> 'assessment_id'
FROM json_each($2) AS r
WHERE sm.site_id = $1 AND sm.module_id = r.value ->> 'module_id'
