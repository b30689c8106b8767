SELECT id, version, datestamp, status, needs_update, class, reason, covered, security_updates, recommended,
       core_compatibility
FROM assessments
WHERE project = $1 AND feed = $2
