-- Nothing where there is no such module.
INSERT INTO admin_events (at, actor, action, target, detail)
SELECT $1, $2, $5, machine_name, $3 FROM modules WHERE machine_name = $4
