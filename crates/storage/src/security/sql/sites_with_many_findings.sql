-- Open ones count here, but not among those that are deleted.
SELECT site_id AS id FROM security_findings GROUP BY site_id HAVING count(*) > $1 ORDER BY site_id
