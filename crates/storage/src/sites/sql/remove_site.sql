-- The tombstone. Waits for a sync in progress; later ones find no site. What the site last said of itself goes at once.
UPDATE sites
SET removed_at = $2, leftovers = true, active = false, fingerprint = NULL, modules_hash = NULL, site_info = NULL, reported_environment = NULL,
    reported_url = NULL, environment = NULL, recent_refusals = 0, last_refusal = NULL, mass_removal = false,
    conflict = false, pending_jobs = 0, core_assessment_id = NULL, security_updates_found = 0, security_projects = 0, security_unsupported = 0, security_unknown = 0,
    partial = false, unnamed_rejections = 0, facts = NULL, coverage = '[0,0,0,0,0,0,0,0,0,0,0,0]'
WHERE id = $1 AND removed_at IS NULL
