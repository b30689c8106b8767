UPDATE sites
SET site_info = $2, reported_environment = $3, reported_url = $4, drupal_version = $5, php_version = $6,
    last_sync_timestamp = $7, last_sync_at = $8, last_full_sync_at = $9, fingerprint = $10, mass_removal = $11,
    conflict = $12, core_assessment_id = coalesce($13, core_assessment_id), recent_refusals = 0, last_refusal = NULL,
    silence_told = false, facts = coalesce($14, facts), partial = $15, unnamed_rejections = $16
WHERE id = $1
