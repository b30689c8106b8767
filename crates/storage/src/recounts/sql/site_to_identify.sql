SELECT site_id AS id FROM recounts WHERE identify ORDER BY requested_at, site_id LIMIT 1
