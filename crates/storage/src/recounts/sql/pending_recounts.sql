SELECT count(*) AS count FROM recounts
