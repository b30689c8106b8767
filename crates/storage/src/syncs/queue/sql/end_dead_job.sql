UPDATE jobs SET state = $3, reason = $4, finished_at = $2, payload = NULL WHERE id = $1 AND state = 'dead'
