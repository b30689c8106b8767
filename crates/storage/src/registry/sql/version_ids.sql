SELECT b.id FROM module_versions b WHERE b.module_id = (SELECT id FROM modules WHERE machine_name = $1)
