"""The tunnel: an HTTP proxy on loopback that answers for the indexes of a chain during one ``run``.

Requests to the origins of the chain go to the shim. All other connections are relayed unchanged, by
the user's own proxy if there is one.
"""
