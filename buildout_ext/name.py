"""The name of the extension's distribution, section and logger."""

NAME = "indexfallback"
