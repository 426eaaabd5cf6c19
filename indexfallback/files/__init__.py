"""The way of one file: which index has it, its transfer, and its readers."""
