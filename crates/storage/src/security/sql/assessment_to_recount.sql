SELECT id, revision, recounted_to FROM assessments WHERE revision > recounted ORDER BY id LIMIT 1
