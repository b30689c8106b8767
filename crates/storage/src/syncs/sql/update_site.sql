-- While the fingerprint stays, so does what it is known by.
UPDATE sites
SET site_info = $2, reported_environment = $3, reported_url = $4, drupal_version = $5, php_version = $6,
    last_sync_timestamp = $7, last_sync_at = $8, last_full_sync_at = $9, fingerprint = $10, mass_removal = $11,
    conflict = $12, core_assessment_id = coalesce($13, core_assessment_id), recent_refusals = 0, last_refusal = NULL,
    silence_told = false, facts = coalesce($14, facts), partial = $15, unnamed_rejections = $16,
    kept_modules = coalesce($17, kept_modules), kept_bytes = $18,
    modules_hash = coalesce($19, CASE WHEN fingerprint = $10 THEN modules_hash END),
    processed_count = coalesce($20, processed_count), busy_until = coalesce($21, busy_until)
WHERE id = $1
