SELECT (
    SELECT count(*)
    FROM assessments a
    JOIN site_modules sm ON sm.assessment_id = a.id
    WHERE a.revision > a.recounted
) + (
    SELECT count(*)
    FROM assessments a
    JOIN sites s ON s.core_assessment_id = a.id
    WHERE a.revision > a.recounted
) AS count
