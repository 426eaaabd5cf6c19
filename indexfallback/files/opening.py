"""Hedged requests: a file is asked for at one source and, if that is slow, at the next one too.

A `HedgedOpener` belongs to one transfer and is used by its thread alone. The threads that ask end
by the limits of their sources.
"""

import concurrent.futures
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import NamedTuple

from indexfallback.chain.budget import Budget
from indexfallback.files.sources import Source
from indexfallback.flight import start
from indexfallback.upstream.answers import FileAnswer


class Opened(NamedTuple):
    """A source and its answer."""

    source: Source
    answer: FileAnswer


#: A request at one source; at the next one, its result is None if there is no next source.
_Request = Future[Opened] | Future[Opened | None]


class HedgedOpener(Iterator[Source]):
    """Iterates over the sources of one file, of which two may be asked at once."""

    def __init__(
        self,
        sources: Iterator[Source],
        ask: Callable[[Source], FileAnswer],
        hedges: Budget | None,
    ) -> None:
        """Ask ``sources`` with ``ask``; without ``hedges`` one at a time."""
        self._sources = sources
        self._ask = ask
        self._hedges = hedges
        #: Sources that were slower than another one: they are tried again.
        self._slower: list[Source] = []
        self._late: list[_Request] = []

    def __next__(self) -> Source:
        """Return the next source; a slower one comes again once it has answered."""
        if self._late:
            opened = [late.result() for late in self._late]
            self._slower += [late.source for late in opened if late is not None]
            self._late.clear()
        return self._slower.pop(0) if self._slower else next(self._sources)

    def quickest(self, source: Source) -> Opened:
        """Ask a source, and the next one too if that is slow; return the first answer."""
        if self._hedges is None or source.file.sha256 is None:
            return self._open(source)
        self._hedges.earn()
        first = start(lambda: self._open(source), f"open-{source.member.index.name}")
        concurrent.futures.wait([first], source.member.latency.hedge_after())
        if first.done() or not self._hedges.spend():
            return first.result()
        second = start(self._open_next, "open-beside")
        for done in concurrent.futures.as_completed((first, second)):
            opened = done.result()
            if opened is not None and opened.answer.body is not None:
                self._abandon(second if done is first else first)
                return opened
        self._abandon(second)
        return first.result()

    def _open(self, source: Source) -> Opened:
        return Opened(source, self._ask(source))

    def _open_next(self) -> Opened | None:
        source = next(self._sources, None)
        return self._open(source) if source is not None else None

    def _abandon(self, late: _Request) -> None:
        self._late.append(late)
        late.add_done_callback(_close)


def _close(late: _Request) -> None:
    opened = late.result() if late.exception() is None else None
    if opened is not None and opened.answer.body is not None:
        opened.answer.body.close()
