"""Hosted indexes: directories that accept uploads, each of which is checked."""
