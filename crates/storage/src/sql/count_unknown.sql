SELECT count(*) AS count
FROM site_modules
WHERE site_id = $1 AND removed_at IS NULL AND enabled AND type IN ('core', 'contrib')
