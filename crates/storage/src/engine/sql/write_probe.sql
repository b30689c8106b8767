-- Writes the row that nobody else writes.
UPDATE schema_text SET probe = 1 - probe
