DROP INDEX syncs_age;
DROP TABLE admin_events;
DROP TABLE rejected_syncs;
DROP TABLE idempotency_keys;
DROP TABLE key_revision;
ALTER TABLE api_keys DROP COLUMN last_used_at;
ALTER TABLE sites DROP COLUMN rate_limit;
