-- Attempts since the last applied report. Of those that were counted together with earlier ones, only the last is known
-- to be later.
WITH refused AS (
    SELECT r.site_id, r.reason,
           sum(CASE WHEN r.first_at > s.last_sync_at OR s.last_sync_at IS NULL THEN r.count ELSE 1 END)
               OVER (PARTITION BY r.site_id) AS refusals,
           row_number() OVER (PARTITION BY r.site_id ORDER BY r.last_at DESC) AS newest
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
        AS r (site_id, reason, count, first_at, last_at)
    JOIN sites s ON s.id = r.site_id
    WHERE s.removed_at IS NULL AND (s.last_sync_at IS NULL OR r.last_at > s.last_sync_at)
)
UPDATE sites s
SET recent_refusals = least(s.recent_refusals + r.refusals, 1000000), last_refusal = r.reason
FROM refused r
WHERE s.id = r.site_id AND r.newest = 1
