"""Compaction of the journal: it is written anew without changes that later lines have undone.

That takes seconds for a million names, so a thread does it while others go on writing. The lines
that they append meanwhile are copied at the end, and they wait only for the last few of these.

The records are read in pieces, from different states of the database. The result is right all the
same, since each change after the start is among the lines at the end, in its order. To read a
single state would keep SQLite from emptying the write-ahead log, and the next writer would have to
copy hundreds of megabytes.

Locks: none of its own. The writers' lock of the database is held while the start is noted, and
while the last few lines are copied.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from indexfallback.store.background import Background
from indexfallback.store.journal import Change, Journal, Mark
from indexfallback.store.safety_records import recorded
from indexfallback.store.statements import Ordered

#: Bytes that are copied while all writers wait: this takes a millisecond, and their sync another.
_LITTLE = 1 << 16
#: Each round copies what was appended during the one before; the second is short.
_ROUNDS = 5


class Compaction:
    """Writes the journal of one database anew, in one thread at a time."""

    def __init__(
        self,
        journal: Journal,
        tables: Mapping[str, str],
        pieces: Callable[[Ordered], Iterator[list[Any]]],
        write: Callable[[], AbstractContextManager[sqlite3.Connection]],
    ) -> None:
        """Write what is in ``tables`` of a database (`Layout.tables`).

        ``pieces`` and ``write`` are those of the `Database`; its transactions exclude each other.
        """
        self._journal = journal
        self._tables = tables
        self._pieces = pieces
        self._write = write
        self._background = Background(
            "compact-journal", f"write {journal.path.name} anew", self.compact
        )

    @property
    def is_due(self) -> bool:
        """Whether the journal has grown enough."""
        return self._journal.is_due

    def start(self) -> None:
        """Start in the background, unless it is under way."""
        self._background.start()

    def close(self) -> None:
        """Stop; the journal stays as it is."""
        self._background.close()

    def compact(self) -> None:
        """Write the journal anew; raises OSError, `StoreError` and sqlite3.Error."""
        try:
            self._compact()
        except BaseException:
            self._journal.postpone()
            raise
        finally:
            self._journal.discard()

    def _compact(self) -> None:
        with self._write():  # no transaction is half in the journal
            mark = self._journal.mark()
        new = self._journal.begin(self._until_closed(recorded(self._pieces, self._tables)))
        with new:
            if mark is not None and not self._background.closing.is_set():
                mark = self._followed(new, mark)
                with self._write():
                    self._journal.finish(new, mark)

    def _followed(self, new: BinaryIO, mark: Mark) -> Mark:
        """Copy what was appended since a mark, until little is left; return the mark behind it."""
        for _ in range(_ROUNDS):
            with self._write():
                end = self._journal.mark()
            if end is None or mark.is_near(end, _LITTLE):
                break
            self._journal.follow(new, mark, end)
            mark = end
        return mark

    def _until_closed(self, changes: Iterable[Change]) -> Iterator[Change]:
        for change in changes:
            if self._background.closing.is_set():
                return
            yield change
