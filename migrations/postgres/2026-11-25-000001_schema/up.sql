-- The schema, in the order: sites and keys, registry and inventory, releases and assessments, security, syncs and queue,
-- admin log, outbox. Text is compared byte by byte (COLLATE "C"), as SQLite does, so that both databases order and match
-- alike. JSON is kept as the text it came as.

-- The text of this file, hashed, by which a database was made; see the storage's engine/migrations.rs.
CREATE TABLE schema_text (
    hash  text NOT NULL,
    -- Turned over by servers to find out whether the database takes writes: SQLite does not write a row that stays as it is.
    probe integer NOT NULL DEFAULT 0
);

-- Sites and keys --------------------------------------------------------------------------------------------------------

-- The sites that report. A site that was removed keeps its row, so that its id and its audit log stay what they were.
CREATE TABLE sites (
    id                     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                   text NOT NULL,
    url                    text,
    -- What an administrator says; wins over what the site reports.
    environment            text,
    created_at             timestamptz NOT NULL,
    active                 boolean NOT NULL DEFAULT true,
    -- Refuse reports of another identity instead of warning about them.
    strict_identity        boolean NOT NULL DEFAULT false,
    -- Syncs it may send in the rate limit's window; NULL: what the server allows.
    rate_limit             integer,
    -- Seconds without a report after which it is silent; NULL: 26 hours.
    silent_after           integer,
    -- What the last report said.
    site_info              text,
    -- JSON.
    facts                  text,
    reported_environment   text,
    reported_url           text,
    drupal_version         text,
    php_version            text,
    last_sync_timestamp    timestamptz,
    -- What the last report left behind (server time).
    last_sync_at           timestamptz,
    last_full_sync_at      timestamptz,
    -- Of the state that an exact full report left, until something else changes it.
    fingerprint            bytea,
    -- By which the list of modules that left it is known again, unread (without a fingerprint it means nothing), and how
    -- many modules that state has.
    modules_hash           bytea,
    processed_count        integer NOT NULL DEFAULT 0,
    mass_removal           boolean NOT NULL DEFAULT false,
    conflict               boolean NOT NULL DEFAULT false,
    -- Refused attempts since the last report that was applied, and the newest reason.
    recent_refusals        integer NOT NULL DEFAULT 0,
    last_refusal           text,
    -- Whether anything enabled of it could not be read at the last look, and items of which not even the name could.
    partial                boolean NOT NULL DEFAULT false,
    unnamed_rejections     integer NOT NULL DEFAULT 0,
    -- Rows that it has in site_modules, and bytes of its change sets and of what its syncs were answered.
    kept_modules           integer NOT NULL DEFAULT 0,
    kept_bytes             bigint NOT NULL DEFAULT 0,
    -- When the newest of the change sets that are not kept any more happened; NULL: all are.
    history_since          timestamptz,
    -- Recounted from the site's rows, never incremented.
    security_updates_found integer NOT NULL DEFAULT 0,
    security_projects      integer NOT NULL DEFAULT 0,
    security_unsupported   integer NOT NULL DEFAULT 0,
    security_unknown       integer NOT NULL DEFAULT 0,
    -- JSON list of the other figures: own, secure, not covered; accepted insecure, unsupported, unknown; and why how many
    -- are unknown: rejected, unidentified, not on drupal.org, not fetched, no version, not comparable.
    coverage               text NOT NULL DEFAULT '[0,0,0,0,0,0,0,0,0,0,0,0]',
    -- Of Drupal itself, which speaks for all core modules of the site; NULL until its modules have assessments.
    core_assessment_id     bigint,
    -- Queued and running jobs, recounted under the site's lock by whatever changes them.
    pending_jobs           integer NOT NULL DEFAULT 0,
    -- Whether those who look after the site have been told that it is silent.
    silence_told           boolean NOT NULL DEFAULT false,
    -- It grows with the rows that the site changes. While it is far ahead, what the site sends waits in the queue.
    busy_until             timestamptz,
    removed_at             timestamptz,
    -- Whether rows of a removed site are still to be deleted.
    leftovers              boolean NOT NULL DEFAULT false,
    -- From when on the site is silent if it does not report again; NULL: nobody waits for it. Always follows from the
    -- columns it is made of. (Interval arithmetic is immutable only without a time zone.)
    silent_at              timestamptz GENERATED ALWAYS AS (
        CASE WHEN active AND removed_at IS NULL THEN
            ((coalesce(last_sync_at, created_at) AT TIME ZONE 'UTC') + coalesce(silent_after, 93600) * interval '1 second')
                AT TIME ZONE 'UTC'
        END
    ) STORED,
    -- The day of that, for the index: it changes once a day and not with every report, which would keep PostgreSQL from
    -- updating the row in place.
    silent_day             timestamptz GENERATED ALWAYS AS (
        CASE WHEN active AND removed_at IS NULL THEN
            date_trunc('day', (coalesce(last_sync_at, created_at) AT TIME ZONE 'UTC')
                + coalesce(silent_after, 93600) * interval '1 second') AT TIME ZONE 'UTC'
        END
    ) STORED
) WITH (fillfactor = 70); -- every sync updates its row in place
-- One for each filter of the list of sites that picks out few.
CREATE INDEX sites_silent ON sites (silent_day);
CREATE INDEX sites_inactive ON sites (id) WHERE NOT active AND removed_at IS NULL;
CREATE INDEX sites_partial ON sites (id) WHERE partial;
CREATE INDEX sites_failing ON sites (id) WHERE recent_refusals >= 3;
-- drupal_version, which every report sets, rather than last_sync_at, which every report changes.
CREATE INDEX sites_unreported ON sites (id) WHERE drupal_version IS NULL;
CREATE INDEX sites_mass_removal ON sites (id) WHERE mass_removal;
CREATE INDEX sites_conflict ON sites (id) WHERE conflict;
CREATE INDEX sites_security ON sites (id) WHERE security_updates_found > 0;
CREATE INDEX sites_unsupported ON sites (id) WHERE security_unsupported > 0;
CREATE INDEX sites_unknown ON sites (id) WHERE security_unknown > 0;
CREATE INDEX sites_leftovers ON sites (id) WHERE leftovers;
CREATE INDEX sites_core_assessment ON sites (core_assessment_id, id);

-- What administrators file sites under.
CREATE TABLE site_tags (
    site_id  bigint NOT NULL REFERENCES sites (id),
    tag      text COLLATE "C" NOT NULL,
    PRIMARY KEY (site_id, tag)
);
CREATE INDEX site_tags_tag ON site_tags (tag, site_id);

-- What happened to a site as a whole. Nothing is changed.
CREATE TABLE site_events (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id  bigint NOT NULL REFERENCES sites (id),
    kind     text COLLATE "C" NOT NULL,
    -- JSON.
    detail   text NOT NULL,
    sync_id  uuid NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX site_events_site ON site_events (site_id, id);
-- For pruning by age, as all indexes of that name.
CREATE INDEX site_events_age ON site_events (at);

-- Keys of sites and, without a site, of administrators.
CREATE TABLE api_keys (
    -- The public part of the key.
    id            text COLLATE "C" PRIMARY KEY,
    site_id       bigint REFERENCES sites (id),
    name          text,
    -- SHA-256 of the secret part.
    secret_hash   bytea NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    -- Written in batches, and no reason for other nodes to look.
    last_used_at  timestamptz
);
CREATE INDEX api_keys_site ON api_keys (site_id);

-- One row. Its number grows with every change that authentication must know of, in the transaction of the change: nodes
-- poll it instead of asking about every key.
CREATE TABLE key_revision (
    single    boolean PRIMARY KEY DEFAULT true CHECK (single),
    revision  bigint NOT NULL
);
INSERT INTO key_revision (revision) VALUES (1);

-- Registry and inventory ------------------------------------------------------------------------------------------------

-- The modules that all sites share. Of custom modules only the name. What no site's row names is deleted, and
-- has another id when it comes back.
CREATE TABLE modules (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    machine_name  text COLLATE "C" NOT NULL UNIQUE,
    type          text COLLATE "C" NOT NULL,
    name          text,
    description   text,
    project_link  text,
    created_at    timestamptz NOT NULL,
    -- The site whose report brought it.
    introduced_by bigint,
    -- When an administrator corrected the name, description and link, which from then on win over those of releases.
    corrected_at  timestamptz,
    -- An administrator has corrected anything of it: it stays, though nobody has it.
    kept          boolean NOT NULL DEFAULT false
);
CREATE INDEX modules_introduced ON modules (introduced_by, created_at);

-- The versions of modules that any site has, or had when it removed the module. What no site's row names is deleted.
CREATE TABLE module_versions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    module_id    bigint NOT NULL,
    version      text COLLATE "C" NOT NULL,
    -- Orders versions bytewise; see the domain's DrupalVersion.
    sort_key     text COLLATE "C" NOT NULL,
    -- JSON: name, package, core_compatibility, dependencies, description, project_link. NULL for custom code.
    details      text,
    -- drupal.org's word, where it has one.
    released_at  timestamptz,
    -- The site whose report brought the details, and when.
    introduced_by bigint,
    created_at   timestamptz NOT NULL,
    UNIQUE (module_id, version)
);
CREATE INDEX module_versions_introduced ON module_versions (introduced_by, created_at);

-- One row: how often modules, versions or assessments have been removed that nobody had. Ids that a process remembers from
-- before the last time are not to be trusted.
CREATE TABLE registry (
    single      boolean PRIMARY KEY DEFAULT true CHECK (single),
    generation  bigint NOT NULL DEFAULT 0
);
INSERT INTO registry DEFAULT VALUES;

-- What each site has, and had: a removed module keeps its row. The ids in it have no foreign keys: one function writes
-- each of them, and nothing is removed while a sync is at work. `module-monitor check` finds what would break them.
CREATE TABLE site_modules (
    site_id            bigint NOT NULL,
    module_id          bigint NOT NULL,
    version_id         bigint,
    enabled            boolean NOT NULL,
    type               text COLLATE "C" NOT NULL,
    extension          text COLLATE "C" NOT NULL,
    project            text COLLATE "C",
    -- Unix seconds of the packaged release.
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
    -- Enabled, or base theme of what is.
    in_use             boolean NOT NULL,
    -- unidentified or missing: no project judges it; own: an administrator has said so.
    identification     text COLLATE "C",
    -- Its last report could not be read. kept: the row says what was read before; new: there was nothing before; back: it
    -- had been removed.
    rejected           text COLLATE "C",
    -- Of the reported item that it was written from; NULL where it could not be read.
    item_hash          bytea,
    -- The theme that a theme builds on.
    base_theme         text COLLATE "C",
    -- Where its history begins, the newest first: a change set, and the place in it.
    last_change_sync   uuid,
    last_change_position integer,
    -- What is known of its version; NULL for core modules, which have their site's, for custom code without project, and
    -- while there is none.
    assessment_id      bigint,
    PRIMARY KEY (site_id, module_id)
);
-- Which sites run a module, and which of its versions.
CREATE INDEX site_modules_module ON site_modules (module_id, site_id, version_id);
CREATE INDEX site_modules_assessment ON site_modules (assessment_id, site_id);
CREATE INDEX site_modules_version ON site_modules (version_id);
CREATE INDEX site_modules_age ON site_modules (removed_at) WHERE removed_at IS NOT NULL;
-- What has no assessment because its site has named too many versions.
CREATE INDEX site_modules_postponed ON site_modules (project, site_id)
    WHERE assessment_id IS NULL AND project IS NOT NULL AND removed_at IS NULL AND type <> 'core'
      AND identification IS NULL AND rejected IS NULL;

-- What happened to the modules of a site in one sync, where anything did.
CREATE TABLE change_sets (
    sync_id  uuid PRIMARY KEY NOT NULL,
    site_id  bigint NOT NULL,
    at       timestamptz NOT NULL,
    -- JSON: for each change the module's id, its kind, the versions before and after, and the sync and position of the
    -- module's change before it, where there is one.
    changes  text NOT NULL
);
CREATE INDEX change_sets_site ON change_sets (site_id, sync_id);

-- What administrators have said of code that nothing else tells the project of, for a site or for all.
CREATE TABLE settlements (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    module_id   bigint NOT NULL REFERENCES modules (id),
    -- NULL: all sites.
    site_id     bigint REFERENCES sites (id),
    -- NULL: it is the sites' own.
    project     text COLLATE "C",
    settled_at  timestamptz NOT NULL,
    settled_by  text NOT NULL
);
CREATE UNIQUE INDEX settlements_of ON settlements (module_id, coalesce(site_id, 0));
CREATE INDEX settlements_site ON settlements (site_id);

-- Releases and assessments ----------------------------------------------------------------------------------------------

-- What drupal.org says of projects, one row for each of a project's feeds. Sites introduce the projects they use.
CREATE TABLE projects (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                text COLLATE "C" NOT NULL,
    feed                text COLLATE "C" NOT NULL,
    title               text,
    type                text COLLATE "C",
    status              text COLLATE "C" NOT NULL DEFAULT 'published',
    link                text,
    supported_branches  text,
    supported_majors    text,
    recommended_major   text,
    default_major       text,
    -- Releases of the feed that could not be read.
    malformed           integer NOT NULL DEFAULT 0,
    -- Of everything stored of it; NULL: nothing ever was.
    content_hash        bytea,
    fetched_at          timestamptz,
    -- When the stored data was last known to be what drupal.org says.
    checked_at          timestamptz,
    no_history_at       timestamptz,
    last_error          text,
    last_error_at       timestamptz,
    -- Requests in a row that brought nothing.
    failures            integer NOT NULL DEFAULT 0,
    -- What the next conditional request sends.
    etag                text,
    last_modified       text,
    next_check_at       timestamptz NOT NULL,
    -- How many sites use it, counted now and then.
    sites               bigint NOT NULL DEFAULT 0,
    -- When it was first asked for, whatever the answer was.
    first_checked_at    timestamptz,
    -- The site on whose account it is asked for the first time.
    introduced_by       bigint,
    created_at          timestamptz NOT NULL,
    -- When an administrator last asked for it.
    requested_at        timestamptz,
    -- The change of release_data that it was last part of.
    changed             bigint NOT NULL DEFAULT 0,
    UNIQUE (name, feed)
);
CREATE INDEX projects_due ON projects (next_check_at);
CREATE INDEX projects_introduced ON projects (introduced_by, first_checked_at);
CREATE INDEX projects_checked ON projects (checked_at);

-- The releases of a feed, in its order.
CREATE TABLE releases (
    project_id          bigint NOT NULL REFERENCES projects (id),
    position            integer NOT NULL,
    version             text COLLATE "C" NOT NULL,
    status              text COLLATE "C" NOT NULL,
    -- Unix seconds, as the feed has them.
    date                bigint,
    -- The same as a moment, where it is one.
    released_at         timestamptz,
    link                text NOT NULL,
    insecure            boolean NOT NULL,
    unsupported         boolean NOT NULL,
    security_update     boolean NOT NULL,
    -- By drupal.org's security advisory policy; NULL: the feed does not say.
    covered             boolean,
    core_compatibility  text,
    PRIMARY KEY (project_id, position)
);
CREATE INDEX releases_version ON releases (project_id, version);

-- What a project's feed says of an installed version. Ids stay with their key; what no site uses
-- is deleted.
CREATE TABLE assessments (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project           text COLLATE "C" NOT NULL,
    feed              text COLLATE "C" NOT NULL,
    -- Empty: the site does not know it.
    version           text COLLATE "C" NOT NULL,
    -- Of a dev release; -1: none.
    datestamp         bigint NOT NULL,
    sort_key          text COLLATE "C",
    status            text COLLATE "C" NOT NULL,
    needs_update      boolean NOT NULL,
    -- insecure, unsupported, unknown or secure, the first that fits; and why it is unknown.
    class             text COLLATE "C" NOT NULL,
    reason            text COLLATE "C",
    -- Whether advisories are published for the installed release.
    covered           boolean NOT NULL,
    -- JSON list.
    security_updates  text NOT NULL,
    recommended       text,
    -- Which cores the recommended release is for, as the feed says it.
    core_compatibility  text,
    -- The site that named the version first, and when: of a day's new ones each site has a share.
    introduced_by       bigint NOT NULL,
    created_at          timestamptz NOT NULL,
    UNIQUE (project, feed, version, datestamp)
);
CREATE INDEX assessments_introduced ON assessments (introduced_by, created_at);

-- One row.
CREATE TABLE release_data (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single),
    -- When the oldest of all fetched projects was last known to be right.
    as_of   timestamptz,
    -- How often something has changed that extensions are judged by.
    changes bigint NOT NULL DEFAULT 0
);
INSERT INTO release_data DEFAULT VALUES;

-- Who does what only one node may do.
CREATE TABLE leases (
    name    text COLLATE "C" PRIMARY KEY,
    holder  uuid NOT NULL,
    until   timestamptz NOT NULL
);

-- Security --------------------------------------------------------------------------------------------------------------

-- Sites whose figures are to be counted again, because something that does not lie in them has changed. Whoever has the
-- row has the work, so that nodes share it; a mark that is set while a site is being counted waits, and counts it again.
CREATE TABLE recounts (
    site_id       bigint PRIMARY KEY,
    -- Whether its extensions are to be identified anew, too.
    identify      boolean NOT NULL,
    -- Grows whenever it is marked again.
    marks         bigint NOT NULL DEFAULT 0,
    requested_at  timestamptz NOT NULL
);
CREATE INDEX recounts_order ON recounts (requested_at, site_id);

-- Since when a site needs a security update of a project, and until when it did.
CREATE TABLE security_findings (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id         bigint NOT NULL,
    project         text COLLATE "C" NOT NULL,
    insecure_since  timestamptz NOT NULL,
    fixed_at        timestamptz
);
CREATE UNIQUE INDEX security_findings_open ON security_findings (site_id, project) WHERE fixed_at IS NULL;
CREATE INDEX security_findings_site ON security_findings (site_id, id);
CREATE INDEX security_findings_age ON security_findings (fixed_at) WHERE fixed_at IS NOT NULL;

-- Accepted risks. One stands until ended_at is set; the clock alone changes nothing.
CREATE TABLE security_acceptances (
    id            uuid PRIMARY KEY,
    project       text COLLATE "C" NOT NULL,
    -- The class it is for: insecure, unsupported or unknown. It covers nothing of another.
    class         text COLLATE "C" NOT NULL,
    -- The only feed whose versions the bounds mean; NULL: any.
    feed          text COLLATE "C",
    from_version  text,
    from_key      text COLLATE "C",
    to_version    text,
    to_key        text COLLATE "C",
    -- NULL: all sites.
    site_id       bigint REFERENCES sites (id),
    until         timestamptz NOT NULL,
    reason        text NOT NULL,
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    ended_at      timestamptz,
    ended_reason  text COLLATE "C"
);
CREATE INDEX security_acceptances_project ON security_acceptances (project) WHERE ended_at IS NULL;
CREATE INDEX security_acceptances_until ON security_acceptances (until) WHERE ended_at IS NULL;
CREATE INDEX security_acceptances_age ON security_acceptances (ended_at) WHERE ended_at IS NOT NULL;

-- The present extensions of sites with what is known of their versions: the one place that says which assessment speaks
-- for a row, in which class it is and why, which accepted risk covers it, and what counts in the figures of a site. Where a
-- site has no enabled core module, its core stands for itself, without module.
CREATE VIEW judged_modules AS
SELECT k.*, k.in_use AND k.class = 'insecure' AND k.acceptance_id IS NULL AS counted
FROM (
    SELECT j.*, CASE WHEN j.class = 'unknown' THEN j.why END AS reason,
           -- The first of these is asked once, and mostly answers for all.
           CASE WHEN EXISTS (SELECT 1 FROM security_acceptances WHERE ended_at IS NULL)
                   AND j.class IN ('insecure', 'unsupported', 'unknown') THEN (
               SELECT x.id
               FROM security_acceptances x
               WHERE x.project = coalesce(j.project, (SELECT m.machine_name FROM modules m WHERE m.id = j.module_id))
                 AND x.class = j.class AND x.ended_at IS NULL
                 AND (x.site_id IS NULL OR x.site_id = j.site_id) AND (x.feed IS NULL OR x.feed = j.feed)
                 AND (x.from_key IS NULL OR x.from_key <= j.sort_key) AND (x.to_key IS NULL OR x.to_key >= j.sort_key)
               ORDER BY x.until DESC, x.id
               LIMIT 1
           ) END AS acceptance_id
    FROM (
        SELECT sm.site_id, sm.module_id, sm.version_id, sm.in_use, sm.type,
               CASE WHEN a.id IS NOT NULL THEN a.project WHEN sm.identification IS NULL THEN sm.project END AS project,
               a.id AS assessment_id, a.feed, a.version, a.sort_key, a.status, a.security_updates, a.recommended,
               a.core_compatibility,
               coalesce(a.needs_update, false) AS needs_update,
               CASE WHEN a.class IN ('insecure', 'unsupported') THEN a.class
                    WHEN sm.rejected IS NOT NULL OR sm.identification IN ('unidentified', 'missing') THEN 'unknown'
                    WHEN sm.identification = 'own' AND (a.id IS NULL OR a.reason = 'not_on_drupal_org') THEN 'own'
                    WHEN a.id IS NOT NULL THEN a.class
                    WHEN sm.type = 'custom' AND sm.project IS NULL THEN 'own'
                    ELSE 'unknown' END AS class,
               CASE WHEN sm.rejected IS NOT NULL THEN 'rejected'
                    WHEN sm.identification = 'unidentified' THEN 'unidentified'
                    WHEN sm.identification = 'missing' THEN 'no_version'
                    WHEN a.id IS NOT NULL THEN a.reason
                    WHEN sm.project IS NULL THEN 'not_on_drupal_org'
                    ELSE 'not_fetched' END AS why,
               sm.security_coverage AND coalesce(a.covered, false) AS covered
        FROM site_modules sm
        JOIN sites s ON s.id = sm.site_id
        LEFT JOIN assessments a
            ON a.id = CASE WHEN sm.type = 'core' AND sm.identification IS NULL AND sm.assessment_id IS NULL
                           THEN s.core_assessment_id ELSE sm.assessment_id END
        WHERE sm.removed_at IS NULL AND s.removed_at IS NULL
        UNION ALL
        SELECT s.id, NULL, NULL, true, 'core', a.project, a.id, a.feed, a.version, a.sort_key, a.status, a.security_updates,
               a.recommended, a.core_compatibility, a.needs_update, a.class, a.reason, a.covered
        FROM sites s
        JOIN assessments a ON a.id = s.core_assessment_id
        WHERE s.removed_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM site_modules c
              WHERE c.site_id = s.id AND c.type = 'core' AND c.in_use AND c.removed_at IS NULL AND c.identification IS NULL
                AND c.assessment_id IS NULL)
    ) j
) k;

-- Syncs and queue -------------------------------------------------------------------------------------------------------

-- The audit log of applied syncs.
CREATE TABLE syncs (
    -- A UUID version 7.
    id                      uuid PRIMARY KEY,
    site_id                 bigint NOT NULL,
    key_id                  text,
    client_address          text,
    -- As received.
    body_bytes              bigint,
    scope                   text COLLATE "C" NOT NULL,
    -- The client's.
    sync_timestamp          timestamptz NOT NULL,
    received_at             timestamptz NOT NULL,
    processed_count         integer NOT NULL,
    new_modules             integer NOT NULL,
    updated_modules         integer NOT NULL,
    removed_modules         integer NOT NULL,
    security_updates_found  integer NOT NULL,
    security_projects       integer NOT NULL,
    security_unsupported    integer NOT NULL,
    security_unknown        integer NOT NULL,
    -- As in sites.
    coverage                text NOT NULL,
    security_data_as_of     timestamptz,
    -- JSON lists.
    warnings                text NOT NULL,
    rejected                text NOT NULL,
    next_sync_after         timestamptz NOT NULL,
    processing_time_ms      bigint NOT NULL
);
CREATE INDEX syncs_site ON syncs (site_id, id);
CREATE INDEX syncs_age ON syncs (received_at);

-- The audit log of refused syncs: one row per site, key, reason and minute. The id is a UUID version 7 like those of
-- syncs, so that both lists have one order.
CREATE TABLE rejected_syncs (
    id              uuid PRIMARY KEY,
    site_id         bigint NOT NULL REFERENCES sites (id),
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
CREATE INDEX rejected_syncs_age ON rejected_syncs (last_at);

-- Which sync, applied or in the queue, a client's Idempotency-Key stands for, for 24 hours.
CREATE TABLE idempotency_keys (
    site_id     bigint NOT NULL REFERENCES sites (id),
    key         text COLLATE "C" NOT NULL,
    body_hash   bytea NOT NULL,
    sync_id     uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (site_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_sync ON idempotency_keys (sync_id);

-- The queue: syncs that were accepted and are applied later, and what became of them.
CREATE TABLE jobs (
    -- The order of acceptance; given under the site's lock.
    seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The id of the sync.
    id              uuid NOT NULL UNIQUE,
    site_id         bigint NOT NULL REFERENCES sites (id),
    key_id          text,
    client_address  text,
    body_bytes      bigint,
    scope           text COLLATE "C" NOT NULL,
    -- Invalid modules are left out when the payload is read again.
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

-- The jobs that may be taken as soon as they are due: the running one of a site, whose lease may have ended; where none
-- runs, each that covers, and the oldest by time stamp and acceptance. What does not cover waits for all that is older, or
-- that would be stale afterwards; what covers takes the place of all that is older.
CREATE VIEW queue_turns AS
SELECT j.seq, j.id, j.site_id, j.state, j.covers, j.sync_timestamp, j.due_at, j.attempts, j.lease_token
FROM jobs j
WHERE j.state IN ('queued', 'running')
  AND (j.state = 'running' OR NOT EXISTS (
      SELECT 1 FROM jobs r WHERE r.site_id = j.site_id AND r.state = 'running'
  ))
  AND (j.state = 'running' OR j.covers OR NOT EXISTS (
      SELECT 1
      FROM jobs e
      WHERE e.site_id = j.site_id AND e.state = 'queued' AND (e.sync_timestamp, e.seq) < (j.sync_timestamp, j.seq)
  ));

-- Admin log -------------------------------------------------------------------------------------------------------------

-- What administrators did. Nothing is changed.
CREATE TABLE admin_events (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    -- The public id of an admin key, or the command line.
    actor    text NOT NULL,
    action   text COLLATE "C" NOT NULL,
    site_id  bigint,
    -- The id of what it was done to.
    target   text NOT NULL,
    detail   text
);
CREATE INDEX admin_events_age ON admin_events (at);

-- Outbox ----------------------------------------------------------------------------------------------------------------

-- Who wants to be told of events. One that was removed is gone, with the events that only it was left for.
CREATE TABLE webhooks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url         text NOT NULL,
    -- Only of sites with it; NULL: of all sites, and of what belongs to none.
    tag         text COLLATE "C",
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL
);

-- The kinds of events that a webhook wants.
CREATE TABLE webhook_kinds (
    webhook_id  bigint NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    kind        text COLLATE "C" NOT NULL,
    PRIMARY KEY (webhook_id, kind)
);
CREATE INDEX webhook_kinds_kind ON webhook_kinds (kind, webhook_id);

-- What is to be told, written in the transaction of what it tells, and only where somebody wants its kind.
CREATE TABLE outbox (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind     text COLLATE "C" NOT NULL,
    -- NULL: it is about no site.
    site_id  bigint,
    at       timestamptz NOT NULL,
    -- JSON.
    data     text NOT NULL
);

-- For every event of a site, the kinds that somebody wants to be told of: those who asked for all sites, or for one of
-- its tags.
CREATE VIEW wanted_events AS
SELECT s.id AS site_id, k.kind
FROM webhook_kinds k
JOIN webhooks w ON w.id = k.webhook_id
JOIN sites s ON w.tag IS NULL OR EXISTS (SELECT 1 FROM site_tags t WHERE t.site_id = s.id AND t.tag = w.tag);
