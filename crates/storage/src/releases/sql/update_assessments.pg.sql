UPDATE assessments a
SET status = r.status, needs_update = r.needs_update, class = r.class, reason = r.reason, covered = r.covered,
    security_updates = r.security_updates,
    recommended = r.recommended, core_compatibility = r.core_compatibility
FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[],
            $9::text[])
    AS r (id, status, needs_update, class, reason, covered, security_updates, recommended, core_compatibility)
WHERE a.id = r.id
