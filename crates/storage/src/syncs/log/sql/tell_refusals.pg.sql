-- Each row of the log once: what is only counted further is not told again. To be run before the rows are written.
INSERT INTO outbox (kind, site_id, at, data)
SELECT $1, r.site_id, r.first_at, json_build_object('reason', r.reason)::text
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
    AS r (site_id, key_id, reason, minute, first_at)
WHERE EXISTS (SELECT FROM wanted_events w WHERE w.site_id = r.site_id AND w.kind = $1)
  AND NOT EXISTS (
      SELECT FROM rejected_syncs x
      WHERE x.site_id = r.site_id AND x.key_id = r.key_id AND x.reason = r.reason AND x.minute = r.minute
  )
