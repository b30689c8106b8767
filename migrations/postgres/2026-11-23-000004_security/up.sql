-- What drupal.org says of projects, one row for each of a project's feeds. Sites introduce the projects they use.
CREATE TABLE projects (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name               text COLLATE "C" NOT NULL,
    feed               text COLLATE "C" NOT NULL,
    title              text,
    type               text COLLATE "C",
    status             text COLLATE "C" NOT NULL DEFAULT 'published',
    link               text,
    supported_branches text,
    supported_majors   text,
    recommended_major  text,
    default_major      text,
    malformed          integer NOT NULL DEFAULT 0,
    -- Of everything stored of it; NULL: nothing ever was.
    content_hash       bytea,
    fetched_at         timestamptz,
    -- When the stored data was last known to be what drupal.org says.
    checked_at         timestamptz,
    no_history_at      timestamptz,
    last_error         text,
    last_error_at      timestamptz,
    failures           integer NOT NULL DEFAULT 0,
    etag               text,
    last_modified      text,
    next_check_at      timestamptz NOT NULL,
    -- When it was first asked for, whatever the answer was.
    first_checked_at   timestamptz,
    -- The site on whose account it is asked for the first time.
    introduced_by      uuid,
    created_at         timestamptz NOT NULL,
    UNIQUE (name, feed)
);
CREATE INDEX projects_due ON projects (next_check_at);
CREATE INDEX projects_introduced ON projects (introduced_by, first_checked_at);
CREATE INDEX projects_checked ON projects (checked_at);

-- In the order of the feed.
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
    covered             boolean,
    core_compatibility  text,
    PRIMARY KEY (project_id, position)
);
CREATE INDEX releases_version ON releases (project_id, version);

-- What a project's feed says of an installed version. Ids stay with their key; nothing is removed.
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
    -- JSON list.
    security_updates  text NOT NULL,
    recommended       text,
    -- Grows with every change that may change the figures of sites.
    revision          bigint NOT NULL DEFAULT 0,
    -- The revision that all sites which use it have been recounted for.
    recounted         bigint NOT NULL DEFAULT 0,
    -- While they are being recounted: the last of them that has been.
    recounted_to      uuid,
    UNIQUE (project, feed, version, datestamp)
);
CREATE INDEX assessments_to_recount ON assessments (id) WHERE revision > recounted;

ALTER TABLE site_modules ADD COLUMN assessment_id bigint REFERENCES assessments (id);
CREATE INDEX site_modules_assessment ON site_modules (assessment_id, site_id);

-- All core modules of a site have one.
ALTER TABLE sites ADD COLUMN core_assessment_id bigint REFERENCES assessments (id);
CREATE INDEX sites_core_assessment ON sites (core_assessment_id, id);

-- So that the next report of every site is compared, and its modules get their assessments.
UPDATE sites SET fingerprint = NULL;

-- drupal.org's word, where it has one.
ALTER TABLE module_versions ADD COLUMN released_at timestamptz;

-- One row: when the oldest of all fetched projects was last known to be right.
CREATE TABLE release_data (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single),
    as_of   timestamptz
);
INSERT INTO release_data DEFAULT VALUES;

-- Since when a site needs a security update of a project, and until when it did.
CREATE TABLE security_findings (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id         uuid NOT NULL REFERENCES sites (id),
    project         text COLLATE "C" NOT NULL,
    insecure_since  timestamptz NOT NULL,
    fixed_at        timestamptz
);
CREATE UNIQUE INDEX security_findings_open ON security_findings (site_id, project) WHERE fixed_at IS NULL;

-- Accepted risks. One stands until ended_at is set; the clock alone changes nothing.
CREATE TABLE security_acceptances (
    id            uuid PRIMARY KEY,
    project       text COLLATE "C" NOT NULL,
    -- The only feed whose versions the bounds mean; NULL: any.
    feed          text COLLATE "C",
    from_version  text,
    from_key      text COLLATE "C",
    to_version    text,
    to_key        text COLLATE "C",
    site_id       uuid REFERENCES sites (id),
    until         timestamptz NOT NULL,
    reason        text NOT NULL,
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    ended_at      timestamptz,
    ended_reason  text COLLATE "C"
);
CREATE INDEX security_acceptances_project ON security_acceptances (project) WHERE ended_at IS NULL;
CREATE INDEX security_acceptances_until ON security_acceptances (until) WHERE ended_at IS NULL;

-- Who does what only one node may do.
CREATE TABLE leases (
    name    text COLLATE "C" PRIMARY KEY,
    holder  uuid NOT NULL,
    until   timestamptz NOT NULL
);

-- The present modules of sites with what is known of their versions: the one place that says which assessment speaks for
-- a row, which accepted risk covers it, and what counts in the figures of a site.
CREATE VIEW judged_modules AS
SELECT j.*, j.enabled AND j.needs_update AND j.acceptance_id IS NULL AS counted,
       j.enabled AND j.type <> 'custom' AND coalesce(j.status IN ('not_fetched', 'unknown'), true) AS unknown
FROM (
    SELECT sm.site_id, sm.module_id, sm.enabled, sm.type, a.project, a.version, a.sort_key, a.status,
           a.security_updates, a.recommended, coalesce(a.needs_update, false) AS needs_update,
           CASE WHEN a.needs_update THEN (
               SELECT x.id
               FROM security_acceptances x
               WHERE x.project = a.project AND x.ended_at IS NULL
                 AND (x.site_id IS NULL OR x.site_id = sm.site_id) AND (x.feed IS NULL OR x.feed = a.feed)
                 AND (x.from_key IS NULL OR x.from_key <= a.sort_key) AND (x.to_key IS NULL OR x.to_key >= a.sort_key)
               ORDER BY x.until DESC, x.id
               LIMIT 1
           ) END AS acceptance_id
    FROM site_modules sm
    JOIN sites s ON s.id = sm.site_id
    LEFT JOIN assessments a ON a.id = CASE WHEN sm.type = 'core' THEN s.core_assessment_id ELSE sm.assessment_id END
    WHERE sm.removed_at IS NULL AND s.removed_at IS NULL
) j;
