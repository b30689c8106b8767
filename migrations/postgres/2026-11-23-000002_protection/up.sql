-- Syncs a site may send in the rate limit's window; NULL: what the server allows.
ALTER TABLE sites ADD COLUMN rate_limit integer;

-- Written in batches, and no reason for other nodes to look.
ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;

-- One row. Its number grows with every change that authentication must know of, in the transaction of the change: nodes
-- poll it instead of asking about every key.
CREATE TABLE key_revision (
    single    boolean PRIMARY KEY DEFAULT true CHECK (single),
    revision  bigint NOT NULL
);
INSERT INTO key_revision (revision) VALUES (1);

-- Which sync a client's Idempotency-Key stands for, for 24 hours.
CREATE TABLE idempotency_keys (
    site_id     uuid NOT NULL REFERENCES sites (id),
    key         text COLLATE "C" NOT NULL,
    body_hash   bytea NOT NULL,
    sync_id     uuid NOT NULL REFERENCES syncs (id),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (site_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_sync ON idempotency_keys (sync_id);

-- The audit log of refused syncs: one row per site, key, reason and minute. The id is a UUID version 7 like those of
-- syncs, so that both lists have one order.
CREATE TABLE rejected_syncs (
    id              uuid PRIMARY KEY,
    site_id         uuid NOT NULL REFERENCES sites (id),
    key_id          text COLLATE "C" NOT NULL,
    reason          text COLLATE "C" NOT NULL,
    minute          timestamptz NOT NULL,
    count           bigint NOT NULL,
    first_at        timestamptz NOT NULL,
    last_at         timestamptz NOT NULL,
    -- Of the last attempt.
    client_address  text,
    body_bytes      bigint,
    UNIQUE (site_id, key_id, reason, minute)
);
CREATE INDEX rejected_syncs_site ON rejected_syncs (site_id, id);

-- What administrators did. Append-only.
CREATE TABLE admin_events (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    actor    text NOT NULL,
    action   text COLLATE "C" NOT NULL,
    site_id  uuid,
    target   text NOT NULL,
    detail   text
);

-- For pruning the audit log by age.
CREATE INDEX syncs_age ON syncs (received_at);
CREATE INDEX rejected_syncs_age ON rejected_syncs (last_at);
