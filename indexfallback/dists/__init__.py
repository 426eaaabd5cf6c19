"""Distributions as files: whether they are whole, what they say of themselves, and their bounds."""
