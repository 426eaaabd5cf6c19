"""The server: a plain WSGI application on loopback, and the processes that run it."""
