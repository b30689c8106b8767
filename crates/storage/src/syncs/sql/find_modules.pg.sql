SELECT id, machine_name, type FROM modules WHERE machine_name = ANY ($1)
