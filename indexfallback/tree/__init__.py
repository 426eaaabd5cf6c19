"""A static tree: what an index has, as pages and files that any web server can serve."""
