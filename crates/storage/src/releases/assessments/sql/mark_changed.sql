UPDATE projects SET changed = (SELECT changes FROM release_data) WHERE id = $1
