UPDATE sites
SET kept_bytes = $3,
    history_since = coalesce((SELECT max(at) FROM change_sets WHERE site_id = $1 AND sync_id <= $2), history_since)
WHERE id = $1
