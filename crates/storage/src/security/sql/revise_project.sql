-- Only these can be accepted.
UPDATE assessments SET revision = revision + 1, recounted_to = NULL WHERE project = $1 AND class = $2
