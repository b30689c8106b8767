-- The queue: syncs that were accepted and are applied later, and what became of them.
CREATE TABLE jobs (
    -- The order of acceptance; given under the site's lock.
    seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The id of the sync.
    id              uuid NOT NULL UNIQUE,
    site_id         uuid NOT NULL REFERENCES sites (id),
    key_id          text,
    client_address  text,
    body_bytes      bigint,
    scope           text COLLATE "C" NOT NULL,
    lenient         boolean NOT NULL,
    -- A full report with nothing rejected: the state it leaves depends on no earlier report.
    covers          boolean NOT NULL,
    sync_timestamp  timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    -- The body as it was sent, compressed with zstd. Kept until the job is done; dead letters keep it longer.
    payload         bytea,
    payload_bytes   bigint NOT NULL,
    -- queued, running, succeeded, failed, superseded or dead.
    state           text COLLATE "C" NOT NULL,
    -- Why it failed, was superseded or is dead.
    reason          text COLLATE "C",
    -- Grows when a worker takes the job.
    attempts        integer NOT NULL DEFAULT 0,
    -- It has been taken back from the dead letters.
    retried         boolean NOT NULL DEFAULT false,
    -- Queued: when a worker may take it. Running: when its lease ends and another worker may.
    due_at          timestamptz NOT NULL,
    -- Grows with every lease, so that a worker that has lost one cannot finish the job.
    lease_token     bigint NOT NULL DEFAULT 0,
    worker          text,
    finished_at     timestamptz
);
-- Compressed already.
ALTER TABLE jobs ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX jobs_running ON jobs (site_id) WHERE state = 'running';
CREATE INDEX jobs_pending ON jobs (site_id, sync_timestamp, seq, payload_bytes) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_due ON jobs (due_at) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';
CREATE INDEX jobs_site ON jobs (site_id, id);
CREATE INDEX jobs_age ON jobs (received_at);

-- Attempts that did not end well, oldest first. Append-only.
CREATE TABLE job_errors (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_seq  bigint NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    attempt  integer NOT NULL,
    worker   text,
    -- The worker's lease ended without a word from it.
    lost     boolean NOT NULL,
    message  text NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX job_errors_job ON job_errors (job_seq, id);

-- Processes that take jobs.
CREATE TABLE workers (
    id       text COLLATE "C" PRIMARY KEY,
    seen_at  timestamptz NOT NULL
);

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
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_sync_id_fkey;
