-- Only in a database that was made a moment ago.
INSERT INTO schema_text (hash) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM schema_text)
