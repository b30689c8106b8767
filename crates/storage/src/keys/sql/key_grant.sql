-- The keys of a removed site are revoked, also one that was issued while it was being removed.
SELECT k.id, k.secret_hash, k.site_id, k.expires_at, coalesce(k.revoked_at, s.removed_at) AS revoked_at,
       coalesce(s.active, true) AS site_active, s.rate_limit
FROM api_keys k
LEFT JOIN sites s ON s.id = k.site_id
WHERE k.id = $1
