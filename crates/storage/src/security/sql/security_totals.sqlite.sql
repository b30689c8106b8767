-- $1: only that site. $2: also those that are deactivated. $3: only with that tag.
WITH counted AS MATERIALIZED (
    SELECT s.security_updates_found, s.security_projects, s.security_unsupported, s.security_unknown, s.coverage
    FROM sites s
    WHERE s.removed_at IS NULL AND ($1 IS NULL OR s.id = $1) AND ($2 OR s.active)
      AND ($3 IS NULL OR EXISTS (SELECT 1 FROM site_tags t WHERE t.site_id = s.id AND t.tag = $3))
), rest AS (
    SELECT f.key AS position, sum(f.value) AS total
    FROM counted a
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
FROM counted
