SELECT marks AS count FROM recounts WHERE site_id = $1
