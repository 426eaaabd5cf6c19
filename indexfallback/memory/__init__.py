"""What the shim holds in memory: bounded tables, and the list of all bounds."""
