"""The service: what has the system start the shim at login, on each system in its own way."""
