"""The SQLite database of the store: schema, connection pool, and transactions."""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from indexfallback.errors import StoreClosedError, StoreError
from indexfallback.store.locks import FileLock

log = logging.getLogger("indexfallback.store")

#: Incremented with each change of the schema; a database of a newer version is not touched.
SCHEMA_VERSION = 3

#: Size of the pool: enough for two cores, with few file handles.
CONNECTIONS = 8
#: Longest wait for a connection or another process's transaction, seconds: half of the default
#: deadline of an answer, which leaves time for an error message.
BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE page (
    source TEXT NOT NULL, project TEXT NOT NULL, body BLOB NOT NULL,
    digest TEXT NOT NULL, etag TEXT, modified TEXT,
    checked REAL NOT NULL, resolved REAL NOT NULL, passed TEXT NOT NULL,
    PRIMARY KEY (source, project)
);
CREATE TABLE document (
    source TEXT NOT NULL, project TEXT NOT NULL, version TEXT NOT NULL, body BLOB NOT NULL,
    etag TEXT, modified TEXT, page TEXT NOT NULL, checked REAL NOT NULL,
    PRIMARY KEY (source, project, version)
);
CREATE TABLE name (
    source TEXT NOT NULL, project TEXT NOT NULL, listed REAL, served REAL, copied REAL,
    PRIMARY KEY (project, source)
) WITHOUT ROWID;
CREATE INDEX name_source ON name (source);
CREATE TABLE name_list (
    source TEXT PRIMARY KEY, fetched REAL NOT NULL, names INTEGER NOT NULL, digest TEXT NOT NULL
);
CREATE TABLE pin (
    project TEXT NOT NULL, filename TEXT NOT NULL, key TEXT NOT NULL, sha256 TEXT NOT NULL,
    seen REAL NOT NULL, source TEXT NOT NULL,
    PRIMARY KEY (project, filename, key)
) WITHOUT ROWID;
CREATE INDEX pin_sha256 ON pin (sha256);
CREATE TABLE blob (
    sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, added REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX blob_used ON blob (used);
CREATE TABLE mirror_page (
    source TEXT NOT NULL, project TEXT NOT NULL, serial INTEGER, selection TEXT NOT NULL,
    PRIMARY KEY (source, project)
) WITHOUT ROWID;
CREATE TABLE mirror_file (
    source TEXT NOT NULL, project TEXT NOT NULL, filename TEXT NOT NULL, sha256 TEXT NOT NULL,
    size INTEGER NOT NULL, removed REAL, PRIMARY KEY (source, project, filename)
) WITHOUT ROWID;
CREATE INDEX mirror_file_sha256 ON mirror_file (sha256);
CREATE TABLE mirror_run (
    source TEXT PRIMARY KEY, serial INTEGER, began REAL NOT NULL, ended REAL NOT NULL,
    failed INTEGER NOT NULL
);
CREATE TABLE origin (origin TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE health (source TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE pace (source TEXT PRIMARY KEY, seconds REAL NOT NULL);
CREATE TABLE local_file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, facts BLOB NOT NULL
);
"""


class NewerSchemaError(Exception):
    """A newer version has written the database."""


class Layout(NamedTuple):
    """The schema and durability of a database."""

    version: int
    #: SQL, with semicolons only between statements.
    schema: str
    #: The value of the pragma.
    synchronous: Literal["NORMAL", "FULL"]
    #: Consequence and remedy if the file is damaged and moved away.
    if_damaged: str


CACHE = Layout(
    version=SCHEMA_VERSION,
    schema=_SCHEMA,
    # A crash loses nothing. A power cut may lose the last records, but leaves no record without its
    # file, since the file is written first.
    synchronous="NORMAL",
    if_damaged="its records are lost; `indexfallback cache verify` records the stored files again",
)


class Database:
    """A small pool of connections to one file, with one writer at a time.

    Locks: ``_writing`` is held for a whole transaction; its holder waits for no other lock of this
    process.
    """

    def __init__(self, path: Path, layout: Layout = CACHE) -> None:
        """Open or create the file; raises `NewerSchemaError` and sqlite3.Error."""
        self.path = path
        self._layout = layout
        self._idle: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue()
        self._writing = threading.Lock()
        self._closed = threading.Event()
        for _ in range(CONNECTIONS):
            self._idle.put(None)
        with self._exclusive():
            if schema_version(path) > layout.version:
                raise NewerSchemaError
            try:
                self._prepare()
            except sqlite3.OperationalError:  # no access, disk full, locked: the file may be intact
                self._close_idle()
                raise
            except sqlite3.DatabaseError as error:  # not a database, or truncated
                self._close_idle()
                self._quarantine(error)
                self._prepare()
            self._connect_all()

    def _prepare(self) -> None:
        with self.write() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in self._layout.schema.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {self._layout.version}")

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Keep other processes from opening the file in the block.

        The change to WAL does not wait for them, and only one may move a damaged file away.
        """
        lock = FileLock(self.path.with_name(f"{self.path.name}.lock"))
        ends = time.monotonic() + BUSY_SECONDS
        while not lock.acquire():
            if time.monotonic() > ends:
                raise sqlite3.OperationalError("another process is opening the file")
            time.sleep(0.05)  # a file lock cannot be awaited with a deadline
        try:
            yield
        finally:
            lock.release()

    def _quarantine(self, error: sqlite3.DatabaseError) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged-{int(time.time())}")
        self.path.replace(aside)
        for ending in ("-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        log.warning(
            "%s is damaged (%s); moved to %s; %s",
            self.path, error, aside.name, self._layout.if_damaged,
        )  # fmt: skip

    def _connect_all(self) -> None:
        """Open every connection now (2 ms), since the directory may be removed later."""
        idle = [self._idle.get_nowait() for _ in range(CONNECTIONS)]
        for connection in idle:
            self._idle.put(connection or self._connect())

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._layout.synchronous}")
            connection.execute("PRAGMA cache_size = -512")  # KiB for each connection
        except sqlite3.Error:  # it is not in the pool yet, so `close` would miss it
            connection.close()
            raise
        return connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Provide a connection for reading; raises `StoreError` if none is free in time.

        Raises `StoreClosedError` after `close`, which a thread may outlive.
        """
        if self._closed.is_set():
            raise StoreClosedError(str(self.path), "is closed", "nothing is to be done")
        try:
            connection = self._idle.get(timeout=BUSY_SECONDS)
        except queue.Empty:
            raise self._busy("all connections are busy") from None
        try:
            if connection is None:
                connection = self._connect()
            yield connection
        finally:
            self._idle.put(connection)
            if self._closed.is_set():
                self._close_idle()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Provide a connection in a transaction, which is committed after the block."""
        # SQLite allows one writer at a time, and would wait in steps of up to 100 ms while holding
        # connections that readers need.
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise self._busy("another write has not finished")
        try:
            with self.read() as connection, _transaction(connection):
                yield connection
        finally:
            self._writing.release()

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """Return the first row of a query, or None; raises as `read`, and sqlite3.Error."""
        with self.read() as connection:
            return connection.execute(sql, parameters).fetchone()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Return all rows of a query; raises as `read`, and sqlite3.Error."""
        with self.read() as connection:
            return connection.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement in a transaction, and return the number of changed rows."""
        with self.write() as connection:
            return connection.execute(sql, parameters).rowcount

    def _busy(self, problem: str) -> StoreError:
        return StoreError(str(self.path), problem, "check whether the disk is slow")

    def size(self) -> int:
        """Return the size on disk, including the write-ahead log, bytes."""
        names = (self.path.name, self.path.name + "-wal")
        paths = (self.path.with_name(name) for name in names)
        return sum(path.stat().st_size for path in paths if path.exists())

    def close(self) -> None:
        """Close all connections; one in use is closed when it is returned."""
        self._closed.set()
        self._close_idle()

    def _close_idle(self) -> None:
        taken = []
        with suppress(queue.Empty):
            while True:
                taken.append(self._idle.get_nowait())
        for connection in taken:  # after taking all: the queue is last in, first out
            if connection is not None:
                connection.close()
            self._idle.put(None)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit after the block, or roll back if it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    try:
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def schema_version(path: Path) -> int:
    """Return the schema version of a database file; 0 if it has none.

    Raises sqlite3.OperationalError if the file exists and cannot be read.
    """
    if not path.exists():
        return 0
    # By SQLite, since the version may be only in the write-ahead log; read-only, since a newer
    # version's file must not be changed.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:  # garbage
        return 0
    finally:
        connection.close()
