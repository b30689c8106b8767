SELECT (SELECT as_of FROM release_data) AS data_as_of, count(*) AS projects,
       count(*) FILTER (WHERE fetched_at IS NULL) AS never_fetched
FROM projects
