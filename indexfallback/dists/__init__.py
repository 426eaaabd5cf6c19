"""Distributions as files: their completeness, their metadata, and checks of their archives."""
