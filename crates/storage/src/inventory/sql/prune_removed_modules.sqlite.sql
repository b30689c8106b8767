DELETE FROM site_modules
WHERE (site_id, module_id) IN (
    SELECT sm.site_id, sm.module_id FROM site_modules sm WHERE sm.removed_at < $1 ORDER BY sm.removed_at LIMIT $2
)
