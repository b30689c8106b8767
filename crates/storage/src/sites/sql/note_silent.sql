-- Those who have been told before are passed over until a report takes the mark away. Somebody else may be at it.
UPDATE sites
SET silence_told = true
WHERE id IN (
    SELECT late.id
    FROM sites late
    WHERE late.silent_day < $1 AND late.silent_at < $1 AND NOT late.silence_told
    ORDER BY late.id
    LIMIT $2
) AND NOT silence_told
RETURNING id
