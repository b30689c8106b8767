SELECT v.id FROM module_versions v JOIN modules n ON n.id = v.module_id WHERE n.machine_name = $1
