-- Waits for every sync in progress, and keeps others from beginning.
SELECT 1::bigint AS count FROM (SELECT pg_advisory_xact_lock(7021) OFFSET 0) names
