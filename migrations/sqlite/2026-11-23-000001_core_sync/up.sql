-- Times are microseconds since 1970 (UTC); ids of sites and syncs are the 16 bytes of their UUIDs.

CREATE TABLE sites (
    id                    blob PRIMARY KEY NOT NULL,
    name                  text NOT NULL,
    url                   text,
    created_at            integer NOT NULL,
    active                integer NOT NULL DEFAULT 1,
    strict_identity       integer NOT NULL DEFAULT 0,
    -- What the last report said.
    site_info             text,
    reported_environment  text,
    reported_url          text,
    drupal_version        text,
    php_version           text,
    last_sync_timestamp   integer,
    -- What the last report left behind (server time).
    last_sync_at          integer,
    last_full_sync_at     integer,
    fingerprint           blob,
    mass_removal          integer NOT NULL DEFAULT 0,
    conflict              integer NOT NULL DEFAULT 0,
    -- Recounted from the site's rows, never incremented.
    security_updates_found integer NOT NULL DEFAULT 0,
    security_projects      integer NOT NULL DEFAULT 0,
    security_unknown       integer NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE api_keys (
    id           text PRIMARY KEY NOT NULL,
    site_id      blob REFERENCES sites (id),
    name         text,
    secret_hash  blob NOT NULL,
    created_at   integer NOT NULL,
    expires_at   integer,
    revoked_at   integer
) STRICT;
CREATE INDEX api_keys_site ON api_keys (site_id);

CREATE TABLE modules (
    id            integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    machine_name  text NOT NULL UNIQUE,
    type          text NOT NULL,
    name          text,
    description   text,
    project_link  text,
    created_at    integer NOT NULL
) STRICT;

CREATE TABLE module_versions (
    id         integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    module_id  integer NOT NULL REFERENCES modules (id),
    version    text NOT NULL,
    -- Orders versions bytewise; see the domain's DrupalVersion.
    sort_key   text NOT NULL,
    -- JSON: name, package, core_compatibility, dependencies, description, project_link. NULL for custom code.
    details    text,
    UNIQUE (module_id, version)
) STRICT;

CREATE TABLE site_modules (
    site_id            blob NOT NULL REFERENCES sites (id),
    module_id          integer NOT NULL REFERENCES modules (id),
    version_id         integer REFERENCES module_versions (id),
    enabled            integer NOT NULL,
    type               text NOT NULL,
    extension          text NOT NULL,
    project            text,
    datestamp          integer,
    schema_version     integer,
    security_coverage  integer NOT NULL,
    -- What the site says of it, where the registry does not speak for it. JSON as in module_versions.
    own_details        text,
    first_seen         integer NOT NULL,
    last_updated       integer NOT NULL,
    last_reported_at   integer NOT NULL,
    removed_at         integer,
    -- Written down on removal; derived while the module is present.
    last_seen          integer,
    PRIMARY KEY (site_id, module_id)
) STRICT, WITHOUT ROWID;

-- Append-only.
CREATE TABLE site_module_events (
    id            integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    site_id       blob NOT NULL REFERENCES sites (id),
    module_id     integer NOT NULL REFERENCES modules (id),
    kind          text NOT NULL,
    from_version  text,
    to_version    text,
    sync_id       blob NOT NULL,
    at            integer NOT NULL
) STRICT;
CREATE INDEX site_module_events_history ON site_module_events (site_id, module_id, id);

-- What happened to a site as a whole. Append-only.
CREATE TABLE site_events (
    id       integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    site_id  blob NOT NULL REFERENCES sites (id),
    kind     text NOT NULL,
    detail   text NOT NULL,
    sync_id  blob NOT NULL,
    at       integer NOT NULL
) STRICT;
CREATE INDEX site_events_site ON site_events (site_id, id);

-- The audit log of applied syncs.
CREATE TABLE syncs (
    id                      blob PRIMARY KEY NOT NULL,
    site_id                 blob NOT NULL REFERENCES sites (id),
    key_id                  text,
    client_address          text,
    body_bytes              integer,
    scope                   text NOT NULL,
    sync_timestamp          integer NOT NULL,
    received_at             integer NOT NULL,
    processed_count         integer NOT NULL,
    new_modules             integer NOT NULL,
    updated_modules         integer NOT NULL,
    removed_modules         integer NOT NULL,
    security_updates_found  integer NOT NULL,
    security_projects       integer NOT NULL,
    security_unknown        integer NOT NULL,
    security_data_as_of     integer,
    -- JSON lists.
    warnings                text NOT NULL,
    rejected                text NOT NULL,
    next_sync_after         integer NOT NULL,
    processing_time_ms      integer NOT NULL
) STRICT;
CREATE INDEX syncs_site ON syncs (site_id, id);
