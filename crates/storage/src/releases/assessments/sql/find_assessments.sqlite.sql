SELECT a.id, a.project, a.version, a.datestamp
FROM json_each($2) AS k
JOIN assessments a
    ON a.project = k.value ->> 'project' AND a.feed = $1 AND a.version = k.value ->> 'version'
   AND a.datestamp = k.value ->> 'datestamp'
