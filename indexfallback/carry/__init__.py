"""Carrying what is cached to another machine: archives, wheelhouses, and others' caches."""
