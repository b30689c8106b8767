-- $6 and $7: from that sort key on, before that one; $9: only of the branch that begins at $8. $10: versions of Drupal 7.
-- See the domain's VersionBound.
SELECT b.id
FROM module_versions b
WHERE b.module_id = (SELECT id FROM modules WHERE machine_name = $1)
  AND ($6 IS NULL OR b.sort_key >= $6) AND ($7 IS NULL OR b.sort_key < $7) AND (NOT $9 OR b.sort_key >= $8)
  AND (b.version LIKE '7.x-%' OR b.version LIKE '7.%' AND b.version NOT LIKE '7.%.%') = $10
