-- $3: the last site that has been recounted; NULL: all have been. Nothing, where the assessment has changed since.
UPDATE assessments
SET recounted = CASE WHEN $3 IS NULL THEN $2 ELSE recounted END, recounted_to = $3
WHERE id = $1 AND revision = $2 AND recounted < $2
