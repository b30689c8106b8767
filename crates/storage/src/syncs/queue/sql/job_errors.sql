SELECT e.attempt, e.worker, e.lost, e.message, e.at
FROM job_errors e
JOIN jobs j ON j.seq = e.job_seq
WHERE j.id = $1
ORDER BY e.id
