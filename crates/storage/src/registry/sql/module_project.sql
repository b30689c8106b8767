SELECT sm.project
FROM site_modules sm
WHERE sm.module_id = (SELECT id FROM modules WHERE machine_name = $1) AND sm.project IS NOT NULL
ORDER BY sm.site_id
LIMIT 1
