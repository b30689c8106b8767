UPDATE recounts SET requested_at = $2 WHERE site_id = $1
