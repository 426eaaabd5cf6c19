"""Files: finds the indexes that have one, fetches it, and lets clients read it meanwhile."""
