UPDATE registry SET generation = generation + 1
