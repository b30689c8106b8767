-- Core's modules are none of the projects that are named like them.
UPDATE modules
SET name = coalesce($2, name), project_link = coalesce($3, project_link),
    type = CASE type WHEN 'custom' THEN 'contrib' ELSE type END
WHERE machine_name = $1 AND type <> 'core' AND corrected_at IS NULL
  AND (name IS DISTINCT FROM coalesce($2, name) OR project_link IS DISTINCT FROM coalesce($3, project_link)
       OR type = 'custom')
