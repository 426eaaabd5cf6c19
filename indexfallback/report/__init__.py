"""What the shim says of itself and of a project, as JSON: `status`, `why`, `refresh`."""
