UPDATE site_modules SET own_details = NULL WHERE site_id = $1 AND removed_at IS NOT NULL AND own_details IS NOT NULL
