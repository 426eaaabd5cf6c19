"""The server: a WSGI application, and the processes that run it."""
