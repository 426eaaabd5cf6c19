"""Clients: how pip, uv and the others are pointed at the shim."""
