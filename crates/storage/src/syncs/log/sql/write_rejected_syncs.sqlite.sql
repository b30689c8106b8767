-- An admin's key may have named a site that does not exist.
INSERT INTO rejected_syncs (
    id, site_id, key_id, reason, minute, count, first_at, last_at, client_address, body_bytes
)
SELECT unhex(value ->> 'id'), value ->> 'site_id', value ->> 'key_id', value ->> 'reason', value ->> 'minute',
       value ->> 'count', value ->> 'first_at', value ->> 'last_at', value ->> 'client_address',
       value ->> 'body_bytes'
FROM json_each($1)
WHERE EXISTS (SELECT 1 FROM sites WHERE sites.id = value ->> 'site_id')
ON CONFLICT (site_id, key_id, reason, minute) DO UPDATE
SET count = count + excluded.count, last_at = max(last_at, excluded.last_at), client_address = excluded.client_address,
    body_bytes = excluded.body_bytes
