SELECT count(to_regclass('__diesel_schema_migrations')) AS count
