-- Nobody holds the changes from here on, and who has held them has committed.
UPDATE release_data SET changes = changes + 1 FROM (SELECT pg_advisory_xact_lock(7022) OFFSET 0) changes
