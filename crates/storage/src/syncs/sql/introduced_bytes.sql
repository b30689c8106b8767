SELECT coalesce(sum(bytes), 0) AS bytes
FROM (
    SELECT octet_length(details) AS bytes FROM module_versions WHERE introduced_by = $1 AND created_at > $2
    UNION ALL
    SELECT coalesce(octet_length(name), 0) + coalesce(octet_length(description), 0) + coalesce(octet_length(project_link), 0)
    FROM modules
    WHERE introduced_by = $1 AND created_at > $2
) introduced
