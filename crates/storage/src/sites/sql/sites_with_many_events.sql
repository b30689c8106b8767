SELECT site_id AS id FROM site_events GROUP BY site_id HAVING count(*) > $1 ORDER BY site_id
