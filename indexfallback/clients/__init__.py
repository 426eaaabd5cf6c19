"""Package clients (pip, uv and others), and how they are configured to use the shim."""
