UPDATE sites
SET kept_bytes = (SELECT coalesce(sum(octet_length(changes)), 0) FROM change_sets WHERE site_id = $1)
    + (SELECT coalesce(sum(octet_length(warnings) + octet_length(rejected)), 0) FROM syncs WHERE site_id = $1)
WHERE id = $1
