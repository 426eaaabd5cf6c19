"""The plan of a transfer: the sources of a file, and how long each of them is waited for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indexfallback.chain.budget import Budget
from indexfallback.files.sources import Source


@dataclass(frozen=True)
class Plan:
    """How one file is fetched."""

    #: Best first; each is looked up when it is needed.
    sources: Iterator[Source]
    #: Takes a source whose address may have expired, and returns the source with its address of
    #: now, or None if that is the same.
    renew: Callable[[Source], Source | None]
    #: Allows asking a second source beside a slow one; None: one source at a time.
    hedges: Budget | None
    #: Indexes that may be asked.
    usable: int
    #: The deadline of the client that wants it first, on the monotonic clock.
    ends: float
    #: Seconds for the first byte: of a source that another one can stand in for, and of the last.
    share: float
    longest: float

    def patience(self, asked: int) -> float:
        """Return seconds for the first byte of the latest of ``asked`` indexes."""
        return self.share if asked < self.usable else self.longest
