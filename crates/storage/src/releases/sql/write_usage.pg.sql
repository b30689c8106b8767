UPDATE projects p SET sites = r.sites FROM unnest($1::bigint[], $2::bigint[]) AS r (id, sites) WHERE p.id = r.id
