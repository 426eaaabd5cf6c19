"""Facts read from a local distribution file, and the interface of their cache."""

import os
from typing import NamedTuple, Protocol

import msgspec


class Stamp(NamedTuple):
    """Size in bytes and modification time in ns since the epoch: the same for the same content."""

    size: int
    modified: int


class Facts(msgspec.Struct, frozen=True):
    """Facts read from a distribution."""

    #: None until the whole file was read.
    sha256: str | None = None
    requires_python: str | None = None
    #: The sha256 of the metadata file inside, if there is one to offer (PEP 658).
    metadata_sha256: str | None = None
    #: The normalised project of a file with an ambiguous name (`names.is_ambiguous`).
    project: str | None = None
    #: What its metadata says instead of its file name: then it is not offered.
    contradiction: str | None = None


class FactsCache(Protocol):
    """A cache of facts that persists between starts."""

    def get(self, path: str, stamp: Stamp) -> Facts | None:
        """Return the facts of a file, or None if it is new or has changed."""
        ...

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        """Store the facts of a file."""
        ...


class NoFacts:
    """Keeps nothing: for a directory that is read once."""

    def get(self, path: str, stamp: Stamp) -> Facts | None:  # noqa: ARG002 - the interface
        """Return None."""
        return None

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        """Do nothing."""


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the stamp of a file."""
    return Stamp(status.st_size, status.st_mtime_ns)
