"""Opening a file at one source, and beside a slow one at the next: the first that answers is read.

An `Opening` belongs to one transfer and is used by its thread alone; the threads that ask end by
the limits of their sources.
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
    """Which source answered, and what."""

    source: Source
    answer: FileAnswer


#: A source asked; or, beside it, the next one if there is one.
_Asked = Future[Opened] | Future[Opened | None]


class Opening(Iterator[Source]):
    """The sources of one file in their order, of which two may be asked at once."""

    def __init__(
        self,
        sources: Iterator[Source],
        ask: Callable[[Source], FileAnswer],
        hedges: Budget | None,
    ) -> None:
        """Ask ``sources`` by ``ask``; without ``hedges`` never two of them at once."""
        self._sources = sources
        self._ask = ask
        self._hedges = hedges
        self._passed_over: list[Source] = []
        self._late: list[_Asked] = []

    def __next__(self) -> Source:
        """Return the next source: one that was slower than another comes again."""
        if self._late:
            opened = [late.result() for late in self._late]
            self._passed_over += [late.source for late in opened if late is not None]
            self._late.clear()
        return self._passed_over.pop(0) if self._passed_over else next(self._sources)

    def quickest(self, source: Source) -> Opened:
        """Ask a source for the file, and once it is slow the next one beside it."""
        if self._hedges is None or source.file.sha256 is None:
            return self._open(source)
        self._hedges.earn()
        first = start(lambda: self._open(source), f"open-{source.member.index.name}")
        concurrent.futures.wait([first], source.member.hedge_after())
        if first.done() or not self._hedges.spend():
            return first.result()
        second = start(self._open_next, "open-beside")
        for done in concurrent.futures.as_completed((first, second)):
            opened = done.result()
            if opened is not None and opened.answer.body is not None:
                self._leave(second if done is first else first)
                return opened
        self._leave(second)
        return first.result()

    def _open(self, source: Source) -> Opened:
        return Opened(source, self._ask(source))

    def _open_next(self) -> Opened | None:
        source = next(self._sources, None)
        return self._open(source) if source is not None else None

    def _leave(self, late: _Asked) -> None:
        self._late.append(late)
        late.add_done_callback(_close)


def _close(late: _Asked) -> None:
    opened = late.result() if late.exception() is None else None
    if opened is not None and opened.answer.body is not None:
        opened.answer.body.close()
