UPDATE security_acceptances SET ended_at = $2, ended_reason = $3 WHERE id = $1 AND ended_at IS NULL
