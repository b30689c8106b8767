-- An unchanged report of the same site: writes the site's row, says whether somebody wants to be told ($9), and reads no
-- module. The report is known by the fingerprint ($2) or, unread, by the hash of its modules ($11). No row: something did
-- change, or the idempotency key ($13) stands for another sync. The audit row is a statement of its own here.
UPDATE sites
SET site_info = $6, php_version = $7, facts = coalesce($10, facts), last_sync_timestamp = $3, last_sync_at = $8, last_full_sync_at = $8,
    reported_environment = coalesce($4, reported_environment), reported_url = coalesce($5, reported_url),
    modules_hash = coalesce($11, modules_hash), mass_removal = 0, recent_refusals = 0, last_refusal = NULL
WHERE id = $1 AND active AND pending_jobs = 0 AND NOT silence_told
  AND (fingerprint = $2 OR ($2 IS NULL AND fingerprint IS NOT NULL AND modules_hash = $11 AND drupal_version = $12))
  AND NOT EXISTS (SELECT 1 FROM idempotency_keys k WHERE k.site_id = $1 AND k.key = $13)
  AND (last_sync_timestamp IS NULL OR last_sync_timestamp <= $3)
  AND ($4 IS NULL OR reported_environment IS NULL OR reported_environment = $4)
  AND ($5 IS NULL OR reported_url IS NULL OR reported_url = $5)
RETURNING processed_count, security_updates_found, security_projects, security_unsupported, security_unknown, coverage,
          (SELECT as_of FROM release_data) AS security_data_as_of,
          EXISTS (SELECT 1 FROM recounts r WHERE r.site_id = sites.id) AS recounting,
          EXISTS (SELECT 1 FROM wanted_events w WHERE w.site_id = sites.id AND w.kind = $9) AS wanted
