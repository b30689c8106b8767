-- Only while the lease is still that one: it says whose attempt it was.
INSERT INTO job_errors (job_seq, attempt, worker, lost, message, at)
SELECT seq, attempts, worker, $3, $4, $5 FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running'
