"""The file of a database: opened, made from its journal, and made again if it is damaged."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexfallback.errors import StoreError
from indexfallback.store.connections import Connections, connect
from indexfallback.store.damage import ENDINGS, is_damage, set_aside
from indexfallback.store.disk import sync_directory
from indexfallback.store.journal import Journal
from indexfallback.store.locks import FileLock
from indexfallback.store.restoring import copy_from, copy_from_file, restore
from indexfallback.store.safety_records import snapshot
from indexfallback.store.schema import Layout
from indexfallback.words import counted

log = logging.getLogger("indexfallback.store")

#: SQLite's default page size, bytes, whatever this build of it was configured with.
_PAGE = 4096


class DatabaseFile:
    """A database file and its journal. All methods but `exclusive` are called in `exclusive`."""

    def __init__(self, path: Path, layout: Layout, busy: float, heir_of: Path | None) -> None:
        """End each wait after ``busy`` seconds; ``heir_of`` is as of `Database`."""
        self.path = path
        self.layout = layout
        self.journal = Journal(path.with_name(layout.journal))
        self._busy = busy
        self._heir_of = heir_of
        #: Where this process has set the file aside, and why, each time.
        self.set_aside: dict[Path, str] = {}
        #: Whether this process has made it.
        self.is_new = False
        #: Size of the journal when it was last read, bytes.
        self._read = 0

    def opened(self, problem: str | None, count: int) -> Connections:
        """Open the file; one with a ``problem`` is set aside, and a new one made."""
        for _ in range(2):
            if problem is not None:
                aside = set_aside(self.path)
                self.set_aside[aside] = problem
                log.warning(
                    "%s is damaged (%s); moved to %s; %s",
                    self.path, problem, aside.name, self.layout.if_damaged,
                )  # fmt: skip
                self.make(aside)
            elif not self.path.exists():
                self.make(None)
            try:
                return Connections(self.path, self.layout.synchronous, count, busy=self._busy)
            except sqlite3.DatabaseError as error:
                if problem is not None or not is_damage(error):
                    raise
                problem = str(error)
        raise StoreError(str(self.path), "cannot be made again", "check the disk's health")

    def make(self, older: Path | sqlite3.Connection | None) -> None:
        """Make a new file; raises OSError and sqlite3.Error.

        The records that safety depends on are those of the journals and, as far as it can be read,
        of ``older``.
        """
        new = self.path.with_name(f"{self.path.name}.new")
        new.unlink(missing_ok=True)
        connection = connect(new, "rwc", self._busy)
        try:
            # Durable only at the end: until then nobody else opens it.
            connection.executescript(
                f"PRAGMA page_size = {_PAGE}; PRAGMA synchronous = OFF;"
                f" PRAGMA journal_mode = MEMORY; {self.layout.schema}"
                f" PRAGMA user_version = {self.layout.version};"
            )
            self._restore(connection, older)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        for ending in ENDINGS[1:]:
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        new.replace(self.path)
        self.is_new = True
        sync_directory(self.path.parent)

    def _restore(self, new: sqlite3.Connection, older: Path | sqlite3.Connection | None) -> None:
        journal, heir_of = self.journal, self._heir_of
        if heir_of is not None:
            self._restore_from(Journal(heir_of.with_name(journal.path.name)), heir_of, new)
        self._read = journal.size()
        if isinstance(older, sqlite3.Connection):
            copy_from(older, new, self.layout.tables)
            older = None
        if not self._restore_from(journal, older, new):
            journal.replace(snapshot(new, self.layout.tables))

    def _restore_from(
        self, journal: Journal, database: Path | None, new: sqlite3.Connection
    ) -> bool:
        """Restore the records of a journal; return whether it is complete.

        If it is not, those of its ``database`` are copied, too, as far as that can be read.
        """
        is_complete = journal.path.exists()
        damaged = restore(new, journal)
        new.execute(self.layout.if_restored)
        if damaged:
            log.warning("%s: %s", journal.path, counted(damaged, "damaged line"))
            is_complete = False
        if database is not None and not is_complete:
            copy_from_file(database, new, self.layout)
        return is_complete

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes from opening the file in the block.

        Only one may move a damaged file away.
        """
        lock = FileLock(self.path.with_name(f"{self.path.name}.lock"))
        ends = time.monotonic() + self._busy
        while not lock.acquire():
            if time.monotonic() > ends:
                raise sqlite3.OperationalError("another process is opening the file")
            time.sleep(0.05)  # a file lock cannot be awaited with a deadline
        try:
            yield
        finally:
            lock.release()

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Add what other processes wrote to the journal, and to the old file, since it was read."""
        if self.journal.size() > self._read:
            restore(connection, self.journal, self._read)
            connection.execute(self.layout.if_restored)
