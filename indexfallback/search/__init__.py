"""The search over the projects that are known: by name, and by what their metadata says.

`described` reads metadata, `filling` keeps the search index up to date in the background, and
`finding` answers a query.
"""
