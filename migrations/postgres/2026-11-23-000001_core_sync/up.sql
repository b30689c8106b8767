-- Text is compared byte by byte (COLLATE "C"), as SQLite does, so that both backends order and match alike.

CREATE TABLE sites (
    id                    uuid PRIMARY KEY,
    name                  text NOT NULL,
    url                   text,
    created_at            timestamptz NOT NULL,
    active                boolean NOT NULL DEFAULT true,
    strict_identity       boolean NOT NULL DEFAULT false,
    -- What the last report said.
    site_info             text,
    reported_environment  text,
    reported_url          text,
    drupal_version        text,
    php_version           text,
    last_sync_timestamp   timestamptz,
    -- What the last report left behind (server time).
    last_sync_at          timestamptz,
    last_full_sync_at     timestamptz,
    fingerprint           bytea,
    mass_removal          boolean NOT NULL DEFAULT false,
    conflict              boolean NOT NULL DEFAULT false,
    -- Recounted from the site's rows, never incremented.
    security_updates_found integer NOT NULL DEFAULT 0,
    security_projects      integer NOT NULL DEFAULT 0,
    security_unknown       integer NOT NULL DEFAULT 0
) WITH (fillfactor = 70); -- every sync updates its row in place

CREATE TABLE api_keys (
    id           text COLLATE "C" PRIMARY KEY,
    site_id      uuid REFERENCES sites (id),
    name         text,
    secret_hash  bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_site ON api_keys (site_id);

CREATE TABLE modules (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    machine_name  text COLLATE "C" NOT NULL UNIQUE,
    type          text COLLATE "C" NOT NULL,
    name          text,
    description   text,
    project_link  text,
    created_at    timestamptz NOT NULL
);

CREATE TABLE module_versions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    module_id  bigint NOT NULL REFERENCES modules (id),
    version    text COLLATE "C" NOT NULL,
    -- Orders versions bytewise; see the domain's DrupalVersion.
    sort_key   text COLLATE "C" NOT NULL,
    -- JSON: name, package, core_compatibility, dependencies, description, project_link. NULL for custom code.
    details    text,
    UNIQUE (module_id, version)
);

CREATE TABLE site_modules (
    site_id            uuid NOT NULL REFERENCES sites (id),
    module_id          bigint NOT NULL REFERENCES modules (id),
    version_id         bigint REFERENCES module_versions (id),
    enabled            boolean NOT NULL,
    type               text COLLATE "C" NOT NULL,
    extension          text COLLATE "C" NOT NULL,
    project            text COLLATE "C",
    datestamp          bigint,
    schema_version     integer,
    security_coverage  boolean NOT NULL,
    -- What the site says of it, where the registry does not speak for it. JSON as in module_versions.
    own_details        text,
    first_seen         timestamptz NOT NULL,
    last_updated       timestamptz NOT NULL,
    last_reported_at   timestamptz NOT NULL,
    removed_at         timestamptz,
    -- Written down on removal; derived while the module is present.
    last_seen          timestamptz,
    PRIMARY KEY (site_id, module_id)
);

-- Append-only.
CREATE TABLE site_module_events (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id       uuid NOT NULL REFERENCES sites (id),
    module_id     bigint NOT NULL REFERENCES modules (id),
    kind          text COLLATE "C" NOT NULL,
    from_version  text,
    to_version    text,
    sync_id       uuid NOT NULL,
    at            timestamptz NOT NULL
);
CREATE INDEX site_module_events_history ON site_module_events (site_id, module_id, id);

-- What happened to a site as a whole. Append-only.
CREATE TABLE site_events (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id  uuid NOT NULL REFERENCES sites (id),
    kind     text COLLATE "C" NOT NULL,
    detail   text NOT NULL,
    sync_id  uuid NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX site_events_site ON site_events (site_id, id);

-- The audit log of applied syncs.
CREATE TABLE syncs (
    id                      uuid PRIMARY KEY,
    site_id                 uuid NOT NULL REFERENCES sites (id),
    key_id                  text,
    client_address          text,
    body_bytes              bigint,
    scope                   text COLLATE "C" NOT NULL,
    sync_timestamp          timestamptz NOT NULL,
    received_at             timestamptz NOT NULL,
    processed_count         integer NOT NULL,
    new_modules             integer NOT NULL,
    updated_modules         integer NOT NULL,
    removed_modules         integer NOT NULL,
    security_updates_found  integer NOT NULL,
    security_projects       integer NOT NULL,
    security_unknown        integer NOT NULL,
    security_data_as_of     timestamptz,
    -- JSON lists.
    warnings                text NOT NULL,
    rejected                text NOT NULL,
    next_sync_after         timestamptz NOT NULL,
    processing_time_ms      bigint NOT NULL
);
CREATE INDEX syncs_site ON syncs (site_id, id);
