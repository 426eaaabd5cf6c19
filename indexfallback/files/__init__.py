"""Files: which index has one, how it is fetched, and who reads it meanwhile."""
