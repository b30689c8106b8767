UPDATE api_keys SET revoked_at = coalesce(revoked_at, $1) WHERE id = $2
