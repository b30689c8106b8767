DELETE FROM idempotency_keys WHERE sync_id NOT IN (SELECT id FROM syncs);
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES syncs (id);
DROP VIEW queue_heads;
ALTER TABLE sites DROP COLUMN pending_jobs;
DROP TABLE workers;
DROP TABLE job_errors;
DROP TABLE jobs;
