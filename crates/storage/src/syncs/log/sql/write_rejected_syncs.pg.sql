-- An admin's key may have named a site that does not exist.
INSERT INTO rejected_syncs (
    id, site_id, key_id, reason, minute, count, first_at, last_at, client_address, body_bytes
)
SELECT r.*
FROM unnest(
    $1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::timestamptz[],
    $8::timestamptz[], $9::text[], $10::bigint[]
) AS r (id, site_id, key_id, reason, minute, count, first_at, last_at, client_address, body_bytes)
JOIN sites s ON s.id = r.site_id
ON CONFLICT (site_id, key_id, reason, minute) DO UPDATE
SET count = rejected_syncs.count + excluded.count, last_at = greatest(rejected_syncs.last_at, excluded.last_at),
    client_address = excluded.client_address, body_bytes = excluded.body_bytes
