UPDATE sites
SET pending_jobs = (SELECT count(*) FROM jobs WHERE site_id = $1 AND state IN ('queued', 'running'))
WHERE id = $1
