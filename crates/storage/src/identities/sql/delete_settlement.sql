-- $2: 0 for what was settled for all sites.
DELETE FROM settlements
WHERE module_id = (SELECT id FROM modules WHERE machine_name = $1) AND coalesce(site_id, 0) = $2
