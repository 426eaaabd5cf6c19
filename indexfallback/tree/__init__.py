"""A static tree: the content of an index as pages and files, for any web server."""
