"""Fetches everything that a set of requirements needs into the store, to install it offline.

A run starts in `job`: `resolver` resolves requirements with pip or uv through the shim,
`file_selection` selects the files for a target, and `download` fetches them. The job resolves in
turn what the sdists among them need to be built.
"""
