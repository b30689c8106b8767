-- Each row of the log once: what is only counted further is not told again. To be run before the rows are written.
INSERT INTO outbox (kind, site_id, at, data)
SELECT $1, r.value ->> 'site_id', r.value ->> 'first_at', json_object('reason', r.value ->> 'reason')
FROM json_each($2) AS r
WHERE EXISTS (SELECT 1 FROM wanted_events w WHERE w.site_id = r.value ->> 'site_id' AND w.kind = $1)
  AND NOT EXISTS (
      SELECT 1
      FROM rejected_syncs x
      WHERE x.site_id = r.value ->> 'site_id' AND x.key_id = r.value ->> 'key_id' AND x.reason = r.value ->> 'reason'
        AND x.minute = r.value ->> 'minute'
  )
