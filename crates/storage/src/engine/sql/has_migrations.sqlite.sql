SELECT count(*) AS count FROM sqlite_master WHERE name = '__diesel_schema_migrations'
