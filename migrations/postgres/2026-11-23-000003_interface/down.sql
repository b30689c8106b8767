DROP INDEX module_versions_order;
DROP INDEX site_modules_module;
ALTER TABLE modules DROP COLUMN corrected_at;
DROP TABLE site_tags;
DROP INDEX sites_leftovers;
DROP INDEX sites_security;
DROP INDEX sites_conflict;
DROP INDEX sites_mass_removal;
DROP INDEX sites_unreported;
DROP INDEX sites_failing;
DROP INDEX sites_inactive;
DROP INDEX sites_silent;
ALTER TABLE sites DROP COLUMN silent_at;
ALTER TABLE sites
    DROP COLUMN leftovers,
    DROP COLUMN removed_at,
    DROP COLUMN last_refusal,
    DROP COLUMN recent_refusals,
    DROP COLUMN silent_after,
    DROP COLUMN environment;
