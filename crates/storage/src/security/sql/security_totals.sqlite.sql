WITH active AS MATERIALIZED (
    SELECT security_updates_found, security_projects, security_unsupported, security_unknown, coverage
    FROM sites
    WHERE active AND removed_at IS NULL
), rest AS (
    SELECT f.key AS position, sum(f.value) AS total
    FROM active a
    CROSS JOIN json_each(a.coverage) f
    GROUP BY f.key
)
SELECT coalesce(sum(security_updates_found), 0) AS security_updates_found,
       coalesce(sum(security_projects), 0) AS security_projects,
       coalesce(sum(security_unsupported), 0) AS security_unsupported,
       coalesce(sum(security_unknown), 0) AS security_unknown,
       CASE WHEN count(*) > 0
           THEN (SELECT json_group_array(total ORDER BY position) FROM rest)
           ELSE '[0,0,0,0,0,0,0,0,0,0,0,0]'
       END AS coverage,
       (SELECT as_of FROM release_data) AS security_data_as_of, EXISTS (SELECT 1 FROM recounts) AS recounting,
       count(*) FILTER (WHERE security_unknown > 0) AS sites_with_unknown
FROM active
