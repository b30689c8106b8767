UPDATE site_modules sm
SET assessment_id = CASE WHEN r.assessed THEN r.assessment_id ELSE sm.assessment_id END, in_use = r.in_use,
    identification = r.identification
FROM unnest($2::bigint[], $3::boolean[], $4::bigint[], $5::boolean[], $6::text[])
    AS r (module_id, assessed, assessment_id, in_use, identification)
WHERE sm.site_id = $1 AND sm.module_id = r.module_id
