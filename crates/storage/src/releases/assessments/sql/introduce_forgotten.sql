-- What a process has left undone that died after its sync was committed.
INSERT INTO projects (name, feed, introduced_by, created_at, next_check_at)
SELECT a.project, a.feed, min(a.introduced_by), $1, $1
FROM assessments a
WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.name = a.project AND p.feed = a.feed)
GROUP BY a.project, a.feed
ORDER BY a.project
ON CONFLICT (name, feed) DO NOTHING
