"""Indexes of one's own: a directory that takes uploads, after a close look at each."""
