INSERT INTO recounts (site_id, identify, requested_at)
VALUES ($1, false, $2)
ON CONFLICT (site_id) DO UPDATE SET marks = recounts.marks + 1
