"""The plan of a transfer: the sources of a file, and how long each of them is waited for."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from indexfallback.chain.budget import Budget
from indexfallback.chain.latency import FIRST_BYTE_LEAST
from indexfallback.errors import FileError
from indexfallback.files.shared_copy import SharedCopy
from indexfallback.files.sources import Source
from indexfallback.health import last_resort


@dataclass(frozen=True)
class Plan:
    """How one file is fetched."""

    #: Best first; each is looked up when it is needed.
    sources: Iterator[Source]
    #: Takes a source whose address may have expired, and returns the source with its address of
    #: now, or None if that is the same.
    renew: Callable[[Source], Source | None]
    #: Takes the path of the whole file, and returns the sha256 of the metadata in it if other
    #: metadata was served before, else None.
    contradiction: Callable[[Path], str | None]
    #: Takes the sha256 of the whole file and its source, and returns why the file must not be
    #: served.
    claim: Callable[[str, Source], FileError | None]
    #: The bucket that several shims share, which is asked before the sources; None without one.
    shared: SharedCopy | None
    #: Allows hedged requests; None for one source at a time.
    hedges: Budget | None
    #: Number of indexes that may be asked.
    usable: int
    #: The deadline of the client that wants it first, on the monotonic clock.
    ends: float
    #: Time limits for the first byte, seconds: of a source that another one can replace, and of the
    #: last.
    share: float
    longest: float

    def patience(self, asked: int) -> float:
        """Return seconds for the first byte of the latest of ``asked`` indexes."""
        return self.share if asked < self.usable else self.longest

    def last_resorts(self, held: Iterable[Source], *, nothing_asked: bool) -> Iterator[Source]:
        """Yield the sources whose index was held, each as soon as its index may be tried."""
        left = dict(enumerate(held))
        while left:
            healths = {number: source.member.health for number, source in left.items()}
            number = last_resort(healths, time.monotonic(), nothing_asked=nothing_asked)
            if number is None:
                return
            source = left.pop(number)
            if self._await_turn(source):
                nothing_asked = False
                yield source

    def _await_turn(self, source: Source) -> bool:
        """Wait until a source may be tried, and tell whether it may."""
        if not source.is_at_index:  # it has not failed
            return not source.member.is_offline
        # The wait must leave enough time for a request.
        return source.member.await_turn(self.ends - FIRST_BYTE_LEAST, self.longest)
