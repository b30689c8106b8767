DELETE FROM recounts WHERE site_id IN (SELECT value FROM json_each($1))
