"""Compaction of the journal: it is written anew without what later lines have undone.

That takes seconds for a million names, so a thread does it while others go on writing: the records
are those of one state of the database, and what was appended after that is copied at the end.

Locks: none of its own. The writers' lock of the database is held while the
state is fixed, and while the end is copied.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from indexfallback.pauses import in_pieces
from indexfallback.store.background import Background
from indexfallback.store.journal import Change, Journal
from indexfallback.store.safety_records import snapshot

#: Provides a connection until the end of the block.
Lend = Callable[[], AbstractContextManager[sqlite3.Connection]]


class Compaction:
    """Writes the journal of one database anew, in one thread at a time."""

    def __init__(self, journal: Journal, read: Lend, write: Lend) -> None:
        """Use connections of ``read``, and transactions of ``write``, which exclude each other."""
        self._journal = journal
        self._read = read
        self._write = write
        self._background = Background(
            "compact-journal", "write the journal of owners and pins anew", self.compact
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
        with self._read() as reader:
            with self._write():  # no transaction ends between the two
                mark = self._journal.mark()
                reader.execute("BEGIN")
                reader.execute("SELECT 1 FROM name LIMIT 1").fetchone()  # fixes what is read
            try:
                new = self._journal.begin(self._until_closed(snapshot(reader)))
            finally:
                reader.execute("ROLLBACK")
        with new:
            if mark is not None and not self._background.closing.is_set():
                with self._write():
                    self._journal.finish(new, mark)

    def _until_closed(self, changes: Iterable[Change]) -> Iterator[Change]:
        for piece in in_pieces(changes):
            if self._background.closing.is_set():
                return
            yield from piece
