DELETE FROM recounts WHERE site_id = $1 AND marks = $2
