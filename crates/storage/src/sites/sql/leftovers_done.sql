-- Unless another node is still at it: its rows were skipped here, and may come back.
UPDATE sites
SET leftovers = false
WHERE id = $1
  AND NOT EXISTS (SELECT 1 FROM site_modules WHERE site_id = $1)
  AND NOT EXISTS (SELECT 1 FROM change_sets WHERE site_id = $1)
  AND NOT EXISTS (SELECT 1 FROM security_findings WHERE site_id = $1)
  AND NOT EXISTS (SELECT 1 FROM site_events WHERE site_id = $1)
  AND NOT EXISTS (SELECT 1 FROM settlements WHERE site_id = $1)
  AND NOT EXISTS (SELECT 1 FROM idempotency_keys WHERE site_id = $1)
