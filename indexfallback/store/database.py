"""The SQLite database of the store: schema, connections, and transactions.

The module `damage` says what happens when the file is damaged or removed.
"""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from indexfallback.errors import StoreClosedError, StoreError
from indexfallback.store.best_effort import best_effort
from indexfallback.store.compaction import Compaction
from indexfallback.store.connections import Connections, PoolClosedError
from indexfallback.store.damage import is_damage, problem_of
from indexfallback.store.database_file import DatabaseFile
from indexfallback.store.safety_records import Changes
from indexfallback.store.schema import CACHE, Layout
from indexfallback.store.statements import AT_ONCE, Ordered, agreed, fetched, transaction

log = logging.getLogger("indexfallback.store")

_T = TypeVar("_T")

#: Size of the pool: enough for two cores, with few file handles.
CONNECTIONS = 8
#: Longest wait for a connection or another process's transaction, seconds: half of the default
#: deadline of an answer, which leaves time for an error message.
BUSY_SECONDS = 5.0
#: A reader checks this often whether the file was replaced, seconds.
_LOOK_SECONDS = 1.0


class Database:
    """A few connections to one file, with one writer at a time.

    Locks: ``_writing`` is held for a whole transaction; its holder waits for no other lock of this
    process but ``_renewing``, which is held while the file is replaced.
    """

    def __init__(self, path: Path, layout: Layout = CACHE, *, heir_of: Path | None = None) -> None:
        """Open or create the file; raises `NewerSchemaError`, OSError and sqlite3.Error.

        A new one takes over the owners and pins of the database at ``heir_of``.
        """
        self.path = path
        #: Called with no argument after this process has replaced the file.
        self.on_renewal: Callable[[], object] = lambda: None
        self._file = DatabaseFile(path, layout, BUSY_SECONDS, heir_of)
        self.journal = self._file.journal
        #: Writes the journal anew, while other threads go on.
        self.compaction = Compaction(self.journal, layout.tables, self.pieces, self.write)
        self._writing = threading.Lock()
        self._renewing = threading.Lock()
        self._closed = threading.Event()
        self._looked = time.monotonic()
        self._pool = self._open()

    def _open(self) -> Connections:
        layout = self._file.layout
        with self._file.exclusive():
            problem = problem_of(self.path, layout.version, layout.schema)
            return self._file.opened(problem, CONNECTIONS)

    @property
    def is_new(self) -> bool:
        """Whether this process has made the file, so stored files may lack their records."""
        return self._file.is_new

    @property
    def set_aside(self) -> dict[Path, str]:
        """Where this process has set the file aside, and why, each time."""
        return self._file.set_aside

    def make_again(self, reason: str) -> None:
        """Set the file aside, which is damaged, and make it again; raises `StoreError`."""
        self._renew(self._pool, sqlite3.DatabaseError(reason))

    def _renew(self, old: Connections, error: Exception | None) -> None:
        """Replace the file of ``old``, which is damaged, or gone if there is no ``error``.

        Raises `StoreError` if that cannot be done. The first thread and process does it; the others
        open the new file.
        """
        if not self._renewing.acquire(timeout=BUSY_SECONDS):
            raise self._busy("it is being made again")
        made = False
        try:
            if self._pool is old and not self._closed.is_set():
                made = self._replaced(old, error)
        except (OSError, sqlite3.Error) as problem:
            what = "is damaged" if error is not None else "was removed while in use"
            raise StoreError(
                str(self.path), f"{what}, and cannot be made again ({problem})",
                f"make {self.path.parent} writable, or free space on its disk",
            ) from problem  # fmt: skip
        finally:
            self._renewing.release()
        if made:
            self.on_renewal()

    def _replaced(self, old: Connections, error: Exception | None) -> bool:
        """Do what `_renew` says; return whether this process has made the new file."""
        with self._file.exclusive():
            is_there = self.path.exists()
            made = not is_there or old.is_current()
            if error is not None and made and is_there:
                old.close()  # Windows renames no open file
                self._pool = self._file.opened(str(error), CONNECTIONS)
            else:
                if not is_there:
                    self._make_removed(old, error)
                self._pool = self._file.opened(None, CONNECTIONS)
                old.close()
            if made:
                connection = self._pool.take(BUSY_SECONDS)
                try:
                    self._file.catch_up(connection)
                finally:
                    self._pool.give(connection)
        return made

    def _make_removed(self, old: Connections, error: Exception | None) -> None:
        log.warning(
            "%s was removed while in use; it is made again, and what was stored is fetched again: "
            "to remove a cache, stop indexfallback first",
            self.path,
        )
        connection = None
        with suppress(PoolClosedError):  # an attempt before this one has failed
            connection = old.take(BUSY_SECONDS) if error is None else None
        try:
            self._file.make(connection)
        finally:
            if connection is not None:
                old.give(connection)

    def _current(self, *, at_once: bool) -> Connections:
        """Return the connections, to a new file if the file was replaced or removed.

        A writer checks ``at_once``; a reader checks now and then, and may go on with the old file.
        """
        if self._closed.is_set():
            raise StoreClosedError(str(self.path), "is closed", "nothing is to be done")
        pool, now = self._pool, time.monotonic()
        if at_once or now - self._looked > _LOOK_SECONDS:
            self._looked = now
            if pool.is_closed or not pool.is_current():
                if at_once:
                    self._renew(pool, None)
                else:
                    with best_effort("make the cache directory again"):
                        self._renew(pool, None)
        return self._pool

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Provide a connection for reading; raises `StoreError` if none is free in time.

        Raises `StoreClosedError` after `close`, which a thread may outlive.
        """
        pool, connection = self._taken(at_once=False)
        with self._lent(pool, connection):
            yield connection

    def _taken(self, *, at_once: bool) -> tuple[Connections, sqlite3.Connection]:
        pool = self._current(at_once=at_once)
        try:
            return pool, pool.take(BUSY_SECONDS)
        except queue.Empty:
            raise self._busy("all connections are busy") from None
        except PoolClosedError:  # its file is being replaced, or could not be
            self._renew(pool, None)
        pool = self._current(at_once=False)
        try:
            return pool, pool.take(BUSY_SECONDS)
        except (queue.Empty, PoolClosedError):
            raise self._busy("it is being made again") from None

    @contextmanager
    def _lent(self, pool: Connections, connection: sqlite3.Connection) -> Iterator[None]:
        damaged = None
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            damaged = error if is_damage(error) else None
            raise
        finally:
            pool.give(connection)
            if damaged is not None:
                self._renew(pool, damaged)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Provide a connection in a transaction, which is committed after the block."""
        # SQLite allows one writer at a time, and would wait in steps of up to 100 ms while holding
        # connections that readers need.
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise self._busy("another write has not finished")
        try:
            pool, connection = self._taken(at_once=True)
            with self._lent(pool, connection), transaction(connection):
                yield connection
            if not pool.is_current():  # it went to the old file
                raise sqlite3.OperationalError("the database was replaced during the write")
        finally:
            self._writing.release()

    @contextmanager
    def change(self) -> Iterator[Changes]:
        """Provide a transaction that changes what is in the journal, too."""
        with self.write() as connection:
            changes = Changes(connection, self._file.layout.tables)
            yield changes
            changes.write(self.journal)
        if self.compaction.is_due:
            self.compaction.start()

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """Return the first row of a query, or None; raises as `read`, and sqlite3.Error."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Return all rows of a query; raises as `read`, and sqlite3.Error.

        Text that is not UTF-8 has replacement characters, by which the caller recognises damage.
        """
        return self._twice(partial(fetched, sql, parameters))

    def pieces(self, query: Ordered, *parameters: str) -> Iterator[list[Any]]:
        """Yield the rows of a query in lists, each as `rows`; its key follows the parameters.

        The table may change between two lists: no transaction is open meanwhile.
        """
        before: tuple[str, ...] | None = None
        last = ("",) * len(query.key)
        # A key that is returned again is not UTF-8: its bytes sort after the text that it is read
        # as.
        while last != before and (found := self.rows(query.sql, (*parameters, *last, AT_ONCE))):
            yield found
            before, last = last, tuple(found[-1][place] for place in query.key)

    def agreed(
        self, sql: str, indexes: tuple[str, str], parameters: Sequence[object] = ()
    ) -> list[Any]:
        """Return the rows of a query for which two indexes give the same rows.

        ``sql`` has ``{index}`` after the table's name. Both hold whole records, in different pages
        of the file, so a record that is damaged or has vanished in one is noticed.
        """
        return self._twice(partial(agreed, sql, indexes, parameters))

    def _twice(self, query: "Callable[[sqlite3.Connection], _T]") -> _T:
        """Run a query, and again on a new file if this one is damaged."""
        try:
            with self.read() as connection:
                return query(connection)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if not is_damage(error):
                raise
        with self.read() as connection:
            return query(connection)

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement in a transaction, and return the number of changed rows."""
        with self.write() as connection:
            return connection.execute(sql, parameters).rowcount

    def _busy(self, problem: str) -> StoreError:
        return StoreError(str(self.path), problem, "check whether the disk is slow")

    def size(self) -> int:
        """Return the size on disk, including the write-ahead log and the journal, bytes."""
        names = (self.path.name, self.path.name + "-wal")
        paths = (self.path.with_name(name) for name in names)
        size = sum(path.stat().st_size for path in paths if path.exists())
        return size + self.journal.size()

    def close(self) -> None:
        """Close all connections; one in use is closed when it is returned."""
        self._closed.set()
        self.compaction.close()
        self._pool.close()
        self.journal.close()
