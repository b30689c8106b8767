SELECT pg_try_advisory_xact_lock(7021)::integer::bigint AS count
