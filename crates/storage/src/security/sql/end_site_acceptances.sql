UPDATE security_acceptances SET ended_at = $2, ended_reason = 'site-removed' WHERE site_id = $1 AND ended_at IS NULL
