"""Export and import of the cache: archives, wheelhouses, and the caches of other tools."""
