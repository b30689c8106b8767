-- An unchanged report of the same site, whole in one round trip: writes the site's row and the audit row, tells
-- whoever wants to know ($9, $23), keeps the idempotency key ($13, $24), and reads no module. The report is known by the
-- fingerprint ($2) or, unread, by the hash of its modules ($11). No row: something did change, or the key stands for
-- another sync.
WITH touched AS (
    UPDATE sites
    SET site_info = $6, php_version = $7, facts = coalesce($10, facts), last_sync_timestamp = $3, last_sync_at = $8, last_full_sync_at = $8,
        reported_environment = coalesce($4, reported_environment), reported_url = coalesce($5, reported_url),
        modules_hash = coalesce($11, modules_hash), mass_removal = false, recent_refusals = 0, last_refusal = NULL
    WHERE id = $1 AND active AND pending_jobs = 0 AND NOT silence_told
      AND (fingerprint = $2 OR ($2 IS NULL AND fingerprint IS NOT NULL AND modules_hash = $11 AND drupal_version = $12))
      AND NOT EXISTS (SELECT 1 FROM idempotency_keys k WHERE k.site_id = $1 AND k.key = $13)
      AND (last_sync_timestamp IS NULL OR last_sync_timestamp <= $3)
      AND ($4 IS NULL OR reported_environment IS NULL OR reported_environment = $4)
      AND ($5 IS NULL OR reported_url IS NULL OR reported_url = $5)
    RETURNING id, processed_count, security_updates_found, security_projects, security_unsupported, security_unknown, coverage,
              (SELECT as_of FROM release_data) AS security_data_as_of,
              EXISTS (SELECT FROM recounts r WHERE r.site_id = sites.id) AS recounting
), audited AS (
    INSERT INTO syncs (
        id, site_id, key_id, client_address, body_bytes, scope, sync_timestamp, received_at, processed_count,
        new_modules, updated_modules, removed_modules, warnings, rejected, next_sync_after, processing_time_ms,
        security_updates_found, security_projects, security_unsupported, security_unknown, coverage, security_data_as_of
    )
    SELECT $14, id, $15, $16, $17, $18, $3, $8, processed_count, 0, 0, 0, $19, $20, $21, $22,
           security_updates_found, security_projects, security_unsupported, security_unknown, coverage, security_data_as_of
    FROM touched
), told AS (
    INSERT INTO outbox (kind, site_id, at, data)
    SELECT $9, id, $8, jsonb_set($23::jsonb, '{processed_count}', to_jsonb(processed_count))::text
    FROM touched t
    WHERE EXISTS (SELECT FROM wanted_events w WHERE w.site_id = t.id AND w.kind = $9)
), keyed AS (
    INSERT INTO idempotency_keys (site_id, key, body_hash, sync_id, created_at)
    SELECT id, $13, $24, $14, $8 FROM touched WHERE $13 IS NOT NULL
)
SELECT processed_count, security_updates_found, security_projects, security_unsupported, security_unknown, coverage, security_data_as_of,
       recounting, false AS wanted
FROM touched
