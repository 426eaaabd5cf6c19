"""One ordered, cached local package index in front of all the indexes a user has."""

__version__ = "0.1.0"
