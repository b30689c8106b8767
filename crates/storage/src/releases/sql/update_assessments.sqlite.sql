UPDATE assessments AS a
SET status = r.value ->> 'status', needs_update = r.value ->> 'needs_update', class = r.value ->> 'class',
    reason = r.value ->> 'reason', covered = r.value ->> 'covered',
    security_updates = r.value ->> 'security_updates', recommended = r.value ->> 'recommended',
    core_compatibility = r.value ->> 'core_compatibility'
FROM json_each($1) AS r
WHERE a.id = r.value ->> 'id'
