"""The service that starts the shim at login, for each operating system."""
