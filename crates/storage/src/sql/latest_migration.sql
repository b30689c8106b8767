SELECT version FROM __diesel_schema_migrations ORDER BY version DESC LIMIT 1
