"""A local package index with a cache, in front of an ordered chain of other indexes."""

__version__ = "0.1.0"
