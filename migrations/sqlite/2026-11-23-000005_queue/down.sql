CREATE TABLE idempotency_keys_of_syncs (
    site_id     blob NOT NULL REFERENCES sites (id),
    key         text NOT NULL,
    body_hash   blob NOT NULL,
    sync_id     blob NOT NULL REFERENCES syncs (id),
    created_at  integer NOT NULL,
    PRIMARY KEY (site_id, key)
) STRICT;
INSERT INTO idempotency_keys_of_syncs (site_id, key, body_hash, sync_id, created_at)
SELECT site_id, key, body_hash, sync_id, created_at
FROM idempotency_keys
WHERE sync_id IN (SELECT id FROM syncs);
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_of_syncs RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_sync ON idempotency_keys (sync_id);
DROP VIEW queue_heads;
ALTER TABLE sites DROP COLUMN pending_jobs;
DROP TABLE workers;
DROP TABLE job_errors;
DROP TABLE jobs;
