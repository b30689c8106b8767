SELECT CASE WHEN s.history_since > sm.first_seen THEN s.history_since ELSE sm.first_seen END AS complete_since
FROM site_modules sm
JOIN sites s ON s.id = sm.site_id
JOIN modules m ON m.id = sm.module_id
WHERE sm.site_id = $1 AND m.machine_name = $2 AND s.removed_at IS NULL
