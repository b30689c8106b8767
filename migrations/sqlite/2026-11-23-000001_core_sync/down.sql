DROP TABLE syncs;
DROP TABLE site_events;
DROP TABLE site_module_events;
DROP TABLE site_modules;
DROP TABLE module_versions;
DROP TABLE modules;
DROP TABLE api_keys;
DROP TABLE sites;
