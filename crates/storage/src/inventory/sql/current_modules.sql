-- Nothing that is long: what only matters where a row changes is read for those rows alone.
SELECT sm.module_id, m.machine_name, m.type AS registry_type, sm.item_hash, sm.enabled, sm.type, sm.extension,
       sm.base_theme, sm.datestamp, sm.removed_at, sm.in_use, sm.identification, sm.rejected,
       coalesce(octet_length(sm.own_details), 0) AS details_bytes, sm.last_change_sync, sm.last_change_position
FROM site_modules sm
JOIN modules m ON m.id = sm.module_id
WHERE sm.site_id = $1
