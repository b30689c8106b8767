-- An unchanged report of the same site, whole in one round trip: writes the site's row and the audit row, tells
-- whoever wants to know ($9, $21), and reads no module. No row: something did change.
WITH touched AS (
    UPDATE sites
    SET site_info = $6, php_version = $7, facts = coalesce($10, facts), last_sync_timestamp = $3, last_sync_at = $8, last_full_sync_at = $8,
        reported_environment = coalesce($4, reported_environment), reported_url = coalesce($5, reported_url),
        mass_removal = false, recent_refusals = 0, last_refusal = NULL
    WHERE id = $1 AND active AND pending_jobs = 0 AND fingerprint = $2 AND NOT silence_told
      AND (last_sync_timestamp IS NULL OR last_sync_timestamp <= $3)
      AND ($4 IS NULL OR reported_environment IS NULL OR reported_environment = $4)
      AND ($5 IS NULL OR reported_url IS NULL OR reported_url = $5)
    RETURNING id, security_updates_found, security_projects, security_unsupported, security_unknown, coverage,
              (SELECT as_of FROM release_data) AS security_data_as_of,
              EXISTS (SELECT FROM recounts r WHERE r.site_id = sites.id) AS recounting
), audited AS (
    INSERT INTO syncs (
        id, site_id, key_id, client_address, body_bytes, scope, sync_timestamp, received_at, processed_count,
        new_modules, updated_modules, removed_modules, warnings, rejected, next_sync_after, processing_time_ms,
        security_updates_found, security_projects, security_unsupported, security_unknown, coverage, security_data_as_of
    )
    SELECT $11, id, $12, $13, $14, $15, $3, $8, $16, 0, 0, 0, $17, $18, $19, $20,
           security_updates_found, security_projects, security_unsupported, security_unknown, coverage, security_data_as_of
    FROM touched
), told AS (
    INSERT INTO outbox (kind, site_id, at, data)
    SELECT $9, id, $8, $21
    FROM touched t
    WHERE EXISTS (SELECT FROM wanted_events w WHERE w.site_id = t.id AND w.kind = $9)
)
SELECT security_updates_found, security_projects, security_unsupported, security_unknown, coverage, security_data_as_of,
       recounting, false AS wanted
FROM touched
