-- Jobs and leases that no clock which is right can have put off for so long: it has been set back since.
UPDATE jobs SET due_at = $1 WHERE state IN ('queued', 'running') AND due_at > $2
