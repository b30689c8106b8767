-- $1: only that site. $2: also those that are deactivated. $3: only with that tag.
WITH counted AS MATERIALIZED (
    SELECT s.security_updates_found, s.security_projects, s.security_unsupported, s.security_unknown, s.coverage
    FROM sites s
    WHERE s.removed_at IS NULL AND ($1 IS NULL OR s.id = $1) AND ($2 OR s.active)
      AND ($3 IS NULL OR EXISTS (SELECT 1 FROM site_tags t WHERE t.site_id = s.id AND t.tag = $3))
), rest AS (
    SELECT f.position, sum(f.value::integer) AS total
    FROM counted a
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
FROM counted
