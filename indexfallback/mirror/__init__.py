"""The mirror: chosen projects of one index, kept complete in the store."""
