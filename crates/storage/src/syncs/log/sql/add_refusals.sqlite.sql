-- Attempts since the last applied report. Of those that were counted together with earlier ones, only the last is known
-- to be later.
WITH refused AS (
    SELECT s.id AS site_id, r.value ->> 'reason' AS reason,
           sum(CASE WHEN r.value ->> 'first_at' > s.last_sync_at OR s.last_sync_at IS NULL THEN r.value ->> 'count' ELSE 1 END)
               OVER (PARTITION BY s.id) AS refusals,
           row_number() OVER (PARTITION BY s.id ORDER BY r.value ->> 'last_at' DESC) AS newest
    FROM json_each($1) r
    JOIN sites s ON s.id = r.value ->> 'site_id'
    WHERE s.removed_at IS NULL AND (s.last_sync_at IS NULL OR r.value ->> 'last_at' > s.last_sync_at)
)
UPDATE sites AS s
SET recent_refusals = min(s.recent_refusals + r.refusals, 1000000), last_refusal = r.reason
FROM refused r
WHERE s.id = r.site_id AND r.newest = 1
