SELECT seq, id, site_id, state, due_at, attempts, lease_token, covered FROM queue_heads WHERE site_id = $1
