SELECT id, version, datestamp, status, needs_update, security_updates, recommended
FROM assessments
WHERE project = $1 AND feed = $2
