SELECT payload FROM jobs WHERE id = $1 AND payload IS NOT NULL
