"""Fetching: everything that a set of requirements needs, into the store, to be installed offline.

`job.py` goes through it from the top: `resolve.py` has pip or uv resolve through the shim,
`choose.py` picks the files that fit a target, `bring.py` brings them, `builds.py` says what the
sdists among them need to be built, and that is resolved in turn.
"""
