SELECT a.id, a.project, a.version, a.datestamp
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS k (project, version, datestamp)
JOIN assessments a
    ON a.project = k.project AND a.feed = $1 AND a.version = k.version AND a.datestamp = k.datestamp
