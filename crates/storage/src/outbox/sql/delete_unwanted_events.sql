-- What no webhook is left for.
DELETE FROM outbox
WHERE NOT EXISTS (
    SELECT 1 FROM wanted_events w WHERE w.site_id = outbox.site_id AND w.kind = outbox.kind
)
