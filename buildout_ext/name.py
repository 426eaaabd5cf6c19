"""The name of the extension: of its distribution, its section and its log."""

#: As ``extensions`` lists it.
NAME = "indexfallback"
