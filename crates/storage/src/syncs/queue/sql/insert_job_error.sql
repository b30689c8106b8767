INSERT INTO job_errors (job_seq, attempt, worker, lost, message, at)
SELECT seq, attempts, worker, $2, $3, $4 FROM jobs WHERE id = $1
