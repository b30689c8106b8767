SELECT security_updates_found, security_projects, security_unsupported, security_unknown, coverage,
       (SELECT as_of FROM release_data) AS security_data_as_of,
       EXISTS (SELECT 1 FROM recounts r WHERE r.site_id = sites.id) AS recounting
FROM sites
WHERE id = $1
