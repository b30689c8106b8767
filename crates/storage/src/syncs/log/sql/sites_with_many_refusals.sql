SELECT site_id AS id FROM rejected_syncs GROUP BY site_id HAVING count(*) > $1 ORDER BY site_id
