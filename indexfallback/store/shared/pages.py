"""Pages in the bucket: hints that spare a shim the question to the index; the last writer wins.

An object is the row of the table of pages, as MessagePack, with its own checksum.
"""

import time
from typing import Any

import msgspec

from indexfallback.memory.table import Table
from indexfallback.store.page_rows import PageFacts
from indexfallback.store.pages import Pages
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import Answer, Outcome
from indexfallback.store.shared.figures import Figures
from indexfallback.store.shared.link import Link

#: A page that the bucket does not have is not asked for again for so long, seconds: as a page of a
#: private index is fresh.
_ABSENT_SECONDS = 15.0
#: The place of the time of the last confirmation in a row.
_CHECKED = 6


class SharedPages:
    """The pages of the bucket."""

    def __init__(self, link: Link, pages: Pages, figures: Figures) -> None:
        self._link = link
        self._pages = pages
        self._figures = figures
        #: When the bucket did not have a page, on the monotonic clock.
        self._absent: Table[tuple[str, str], float] = Table(
            "store.shared.pages.SharedPages._absent"
        )
        #: When a page last came from the bucket, and when its index had confirmed it, seconds since
        #: the epoch.
        self._received: Table[tuple[str, str], tuple[float, float]] = Table(
            "store.shared.pages.SharedPages._received"
        )

    def fetch(self, source: str, project: str, known: PageFacts | None) -> PageFacts | None:
        """Store the bucket's page if it is later than the ``known`` one, and return its facts."""
        absent = self._absent.get((source, project))
        if absent is not None and time.monotonic() - absent < _ABSENT_SECONDS:
            return None
        answer = self._link.get(keys.page(source, project))
        if answer.outcome is Outcome.ABSENT:
            self._absent.put((source, project), time.monotonic())
        if not answer.is_found:
            return None
        row = _row(answer.data)
        after = known.checked if known is not None else 0.0
        facts = self._pages.adopt(source, project, row, after) if row is not None else None
        if facts is not None:
            self._figures.count("pages")
            self._received.put((source, project), (time.time(), facts.checked))
        return facts

    def changed(self, source: str, project: str) -> None:
        """Note that the bucket will have the page that is stored here."""
        self._absent.remove((source, project))

    def received(self, source: str, project: str) -> float | None:
        """Return when a page last came from the bucket; None if it did not."""
        found = self._received.get((source, project))
        return found[0] if found is not None else None

    def share(self, source: str, project: str, *, is_new: bool = True) -> Answer:
        """Write the page that is stored here, or remove it from the bucket.

        One that is not ``is_new`` replaces only an older one.
        """
        row = self._pages.row(source, project)
        if row is None:
            return self._link.delete(keys.page(source, project))
        received = self._received.get((source, project))
        if received is not None and received[1] == row[_CHECKED]:
            return Answer(Outcome.EXISTS)
        if not is_new:
            there = self._link.get(keys.page(source, project))
            if row[_CHECKED] <= _checked(there.data) <= time.time():
                return Answer(Outcome.EXISTS)
        return self._link.put(keys.page(source, project), msgspec.msgpack.encode(row))


def _checked(data: bytes) -> float:
    """Return when a page of the bucket was confirmed; 0 if there is none, or it is damaged."""
    row = _row(data) or []
    found = row[_CHECKED] if len(row) > _CHECKED else None
    return found if isinstance(found, float) else 0.0


def _row(data: bytes) -> list[Any] | None:
    try:
        return msgspec.msgpack.decode(data, type=list)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
