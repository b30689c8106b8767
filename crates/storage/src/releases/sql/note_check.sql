-- $5 is what was found: not_modified, no_history or failed.
INSERT INTO projects (
    name, feed, created_at, first_checked_at, next_check_at, no_history_at, failures, last_error, last_error_at
)
VALUES (
    $1, $2, $3, $3, $4, CASE WHEN $5 = 'no_history' THEN $3 END, CASE WHEN $5 = 'failed' THEN 1 ELSE 0 END, $6,
    CASE WHEN $5 = 'failed' THEN $3 END
)
ON CONFLICT (name, feed) DO UPDATE
SET first_checked_at = coalesce(projects.first_checked_at, $3), next_check_at = $4,
    checked_at = CASE WHEN $5 = 'not_modified' AND projects.fetched_at IS NOT NULL THEN $3 ELSE projects.checked_at END,
    no_history_at = CASE $5 WHEN 'no_history' THEN $3 WHEN 'not_modified' THEN NULL ELSE projects.no_history_at END,
    failures = CASE WHEN $5 = 'failed' THEN projects.failures + 1 ELSE 0 END,
    last_error = coalesce($6, projects.last_error),
    last_error_at = CASE WHEN $5 = 'failed' THEN $3 ELSE projects.last_error_at END
