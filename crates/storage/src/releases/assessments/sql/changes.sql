SELECT changes AS count FROM release_data
