UPDATE jobs
SET state = 'running', attempts = attempts + 1, lease_token = lease_token + 1, due_at = $2, worker = $3
WHERE seq = $1
RETURNING id, site_id, key_id, client_address, body_bytes, lenient, received_at, payload, attempts, lease_token,
          coalesce((
              SELECT e.lost AND e.attempt = jobs.attempts - 1
              FROM job_errors e
              WHERE e.job_seq = jobs.seq
              ORDER BY e.id DESC
              LIMIT 1
          ), false) AS reclaimed
