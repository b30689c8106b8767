UPDATE sites SET leftovers = false WHERE id = $1
