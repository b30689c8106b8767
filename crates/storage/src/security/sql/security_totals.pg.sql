WITH active AS MATERIALIZED (
    SELECT security_updates_found, security_projects, security_unsupported, security_unknown, coverage
    FROM sites
    WHERE active AND removed_at IS NULL
), rest AS (
    SELECT f.position, sum(f.value::integer) AS total
    FROM active a
    CROSS JOIN json_array_elements_text(a.coverage::json) WITH ORDINALITY AS f (value, position)
    GROUP BY f.position
)
SELECT CAST(coalesce(sum(security_updates_found), 0) AS integer) AS security_updates_found,
       CAST(coalesce(sum(security_projects), 0) AS integer) AS security_projects,
       CAST(coalesce(sum(security_unsupported), 0) AS integer) AS security_unsupported,
       CAST(coalesce(sum(security_unknown), 0) AS integer) AS security_unknown,
       coalesce((SELECT json_agg(total ORDER BY position)::text FROM rest), '[0,0,0,0,0,0,0,0,0,0,0,0]') AS coverage,
       (SELECT as_of FROM release_data) AS security_data_as_of, EXISTS (SELECT 1 FROM recounts) AS recounting,
       count(*) FILTER (WHERE security_unknown > 0) AS sites_with_unknown
FROM active
