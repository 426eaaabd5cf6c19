"""Facts read from a local distribution file, and the interface of their cache."""

from typing import NamedTuple, Protocol

import msgspec


class Stamp(NamedTuple):
    """Size in bytes and modification time in ns since the epoch: the same for the same content."""

    size: int
    modified: int


class Facts(msgspec.Struct, frozen=True):
    """Facts read from a distribution."""

    sha256: str
    requires_python: str | None = None
    #: The sha256 of the metadata file inside, if there is one to offer (PEP 658).
    metadata_sha256: str | None = None


class FactsCache(Protocol):
    """A cache of facts that persists between starts."""

    def get(self, path: str, stamp: Stamp) -> Facts | None:
        """Return the facts of a file, or None if it is new or has changed."""
        ...

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        """Store the facts of a file."""
        ...
