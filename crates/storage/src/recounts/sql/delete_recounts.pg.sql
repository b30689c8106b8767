DELETE FROM recounts WHERE site_id = ANY ($1)
