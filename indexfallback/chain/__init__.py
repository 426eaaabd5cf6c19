"""The walk down the chain of indexes for a project page, and what it learns on the way."""
