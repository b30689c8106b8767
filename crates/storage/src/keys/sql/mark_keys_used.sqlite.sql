UPDATE api_keys AS k
SET last_used_at = u.value ->> 'at'
FROM json_each($1) AS u
WHERE k.id = u.value ->> 'id' AND (k.last_used_at IS NULL OR k.last_used_at < u.value ->> 'at')
