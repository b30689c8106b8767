-- Those who change it compute it one after the other.
UPDATE release_data SET as_of = as_of
