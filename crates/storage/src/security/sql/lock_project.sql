-- So that no sync begins to use the project meanwhile.
UPDATE projects SET failures = failures WHERE name = $1
