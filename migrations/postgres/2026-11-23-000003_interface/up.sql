ALTER TABLE sites
    -- What an administrator says; wins over what the site reports.
    ADD COLUMN environment text,
    -- Seconds without a report after which the site is silent; NULL: 26 hours.
    ADD COLUMN silent_after integer,
    -- Refused attempts since the last report that was applied, and the newest reason.
    ADD COLUMN recent_refusals integer NOT NULL DEFAULT 0,
    ADD COLUMN last_refusal text,
    -- A site that was removed keeps its row, so that its id and its audit log stay what they were.
    ADD COLUMN removed_at timestamptz,
    -- Whether rows of a removed site are still to be deleted.
    ADD COLUMN leftovers boolean NOT NULL DEFAULT false;

-- From when on the site is silent if it does not report again; NULL: nobody waits for it. Always follows from the
-- columns it is made of. (Interval arithmetic is immutable only without a time zone.)
ALTER TABLE sites ADD COLUMN silent_at timestamptz GENERATED ALWAYS AS (
    CASE WHEN active AND removed_at IS NULL THEN
        ((coalesce(last_sync_at, created_at) AT TIME ZONE 'UTC') + coalesce(silent_after, 93600) * interval '1 second')
            AT TIME ZONE 'UTC'
    END
) STORED;

-- One for each filter of the list of sites that picks out few.
CREATE INDEX sites_silent ON sites (silent_at);
CREATE INDEX sites_inactive ON sites (id) WHERE NOT active AND removed_at IS NULL;
CREATE INDEX sites_failing ON sites (id) WHERE recent_refusals >= 3;
-- drupal_version, which every report sets, rather than last_sync_at, which every report changes.
CREATE INDEX sites_unreported ON sites (id) WHERE drupal_version IS NULL;
CREATE INDEX sites_mass_removal ON sites (id) WHERE mass_removal;
CREATE INDEX sites_conflict ON sites (id) WHERE conflict;
CREATE INDEX sites_security ON sites (id) WHERE security_updates_found > 0;
CREATE INDEX sites_leftovers ON sites (id) WHERE leftovers;

CREATE TABLE site_tags (
    site_id  uuid NOT NULL REFERENCES sites (id),
    tag      text COLLATE "C" NOT NULL,
    PRIMARY KEY (site_id, tag)
);
CREATE INDEX site_tags_tag ON site_tags (tag, site_id);

-- When an administrator corrected the name, description and link, which from then on win over those of releases.
ALTER TABLE modules ADD COLUMN corrected_at timestamptz;

-- Which sites run a module, and which of its versions.
CREATE INDEX site_modules_module ON site_modules (module_id, site_id, version_id);
CREATE INDEX module_versions_order ON module_versions (module_id, sort_key, version);
