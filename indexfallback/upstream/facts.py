"""What reading a local distribution told, and where that is remembered."""

from typing import NamedTuple, Protocol

import msgspec


class Stamp(NamedTuple):
    """What a file's content is taken to depend on: bytes, and nanoseconds since the epoch."""

    size: int
    modified: int


class Facts(msgspec.Struct, frozen=True):
    """What reading a distribution told."""

    sha256: str
    requires_python: str | None = None
    #: Of the metadata file inside, which is then offered beside it (PEP 658).
    metadata_sha256: str | None = None


class FactsCache(Protocol):
    """Where facts are kept between starts."""

    def get(self, path: str, stamp: Stamp) -> Facts | None:
        """Return what is known of a file, or None if it is new or has changed."""
        ...

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        """Remember what reading a file told."""
        ...
