SELECT hash FROM schema_text
