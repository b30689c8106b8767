UPDATE site_modules sm
SET assessment_id = r.assessment_id
FROM unnest($2::bigint[], $3::bigint[]) AS r (module_id, assessment_id)
WHERE sm.site_id = $1 AND sm.module_id = r.module_id
