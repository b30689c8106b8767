-- The queue: syncs that were accepted and are applied later, and what became of them.
CREATE TABLE jobs (
    -- The order of acceptance; given under the site's lock.
    seq             integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- The id of the sync.
    id              blob NOT NULL UNIQUE,
    site_id         blob NOT NULL REFERENCES sites (id),
    key_id          text,
    client_address  text,
    body_bytes      integer,
    scope           text NOT NULL,
    lenient         integer NOT NULL,
    -- A full report with nothing rejected: the state it leaves depends on no earlier report.
    covers          integer NOT NULL,
    sync_timestamp  integer NOT NULL,
    received_at     integer NOT NULL,
    -- The body as it was sent, compressed with zstd. Kept until the job is done; dead letters keep it longer.
    payload         blob,
    payload_bytes   integer NOT NULL,
    -- queued, running, succeeded, failed, superseded or dead.
    state           text NOT NULL,
    -- Why it failed, was superseded or is dead.
    reason          text,
    -- Grows when a worker takes the job.
    attempts        integer NOT NULL DEFAULT 0,
    -- It has been taken back from the dead letters.
    retried         integer NOT NULL DEFAULT 0,
    -- Queued: when a worker may take it. Running: when its lease ends and another worker may.
    due_at          integer NOT NULL,
    -- Grows with every lease, so that a worker that has lost one cannot finish the job.
    lease_token     integer NOT NULL DEFAULT 0,
    worker          text,
    finished_at     integer
) STRICT;
CREATE UNIQUE INDEX jobs_running ON jobs (site_id) WHERE state = 'running';
CREATE INDEX jobs_pending ON jobs (site_id, sync_timestamp, seq, payload_bytes) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_due ON jobs (due_at) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';
CREATE INDEX jobs_site ON jobs (site_id, id);
CREATE INDEX jobs_age ON jobs (received_at);

-- Attempts that did not end well, oldest first. Append-only.
CREATE TABLE job_errors (
    id       integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    job_seq  integer NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    attempt  integer NOT NULL,
    worker   text,
    -- The worker's lease ended without a word from it.
    lost     integer NOT NULL,
    message  text NOT NULL,
    at       integer NOT NULL
) STRICT;
CREATE INDEX job_errors_job ON job_errors (job_seq, id);

-- Processes that take jobs.
CREATE TABLE workers (
    id       text PRIMARY KEY NOT NULL,
    seen_at  integer NOT NULL
) STRICT;

-- Queued and running jobs of a site, recounted under its lock by whatever changes them.
ALTER TABLE sites ADD COLUMN pending_jobs integer NOT NULL DEFAULT 0;

-- The one job of each site whose turn it is: the running one, else the oldest by time stamp and acceptance. It is
-- covered when a newer full report waits behind it, as happens only to one that is running or has been.
CREATE VIEW queue_heads AS
SELECT j.seq, j.id, j.site_id, j.state, j.due_at, j.attempts, j.lease_token,
       EXISTS (
           SELECT 1
           FROM jobs n
           WHERE n.site_id = j.site_id AND n.state = 'queued' AND n.covers
             AND (n.sync_timestamp, n.seq) > (j.sync_timestamp, j.seq)
       ) AS covered
FROM jobs j
WHERE j.state IN ('queued', 'running')
  AND NOT EXISTS (
      SELECT 1
      FROM jobs e
      WHERE e.site_id = j.site_id AND e.state IN ('queued', 'running')
        AND (e.state <> 'running', e.sync_timestamp, e.seq) < (j.state <> 'running', j.sync_timestamp, j.seq)
  );

-- A key may stand for a job, which is in syncs only once it has succeeded.
CREATE TABLE idempotency_keys_of_jobs (
    site_id     blob NOT NULL REFERENCES sites (id),
    key         text NOT NULL,
    body_hash   blob NOT NULL,
    sync_id     blob NOT NULL,
    created_at  integer NOT NULL,
    PRIMARY KEY (site_id, key)
) STRICT;
INSERT INTO idempotency_keys_of_jobs (site_id, key, body_hash, sync_id, created_at)
SELECT site_id, key, body_hash, sync_id, created_at FROM idempotency_keys;
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_of_jobs RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_sync ON idempotency_keys (sync_id);
