SELECT generation, (SELECT coalesce(max(id), 0) FROM modules) AS newest_module,
       (SELECT coalesce(max(id), 0) FROM module_versions) AS newest_version,
       (SELECT coalesce(max(id), 0) FROM assessments) AS newest_assessment
FROM registry
