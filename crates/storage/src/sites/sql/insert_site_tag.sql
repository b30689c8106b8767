-- Nothing where there is no such site.
INSERT INTO site_tags (site_id, tag) SELECT id, $2 FROM sites WHERE id = $1 AND removed_at IS NULL
