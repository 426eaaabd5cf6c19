"""The SQLite file behind the store: schema, connections and the two kinds of transaction."""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from indexfallback.errors import StoreClosedError, StoreError
from indexfallback.store.locks import FileLock

log = logging.getLogger("indexfallback.store")

#: Raised when a table changes; a directory written by a newer one is left alone.
SCHEMA_VERSION = 1

#: Connections in all: enough for two cores, and few file handles.
CONNECTIONS = 8
#: Longest wait for a connection or for another process's write, seconds: half the default
#: deadline of an answer, so that an error still arrives in time.
BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE page (
    source TEXT NOT NULL, project TEXT NOT NULL, body BLOB NOT NULL,
    digest TEXT NOT NULL, etag TEXT, modified TEXT,
    checked REAL NOT NULL, resolved REAL NOT NULL, passed TEXT NOT NULL,
    PRIMARY KEY (source, project)
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
    project TEXT NOT NULL, filename TEXT NOT NULL, sha256 TEXT NOT NULL, seen REAL NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (project, filename)
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
CREATE TABLE health (source TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE pace (source TEXT PRIMARY KEY, seconds REAL NOT NULL);
CREATE TABLE local_file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, facts BLOB NOT NULL
);
"""


class NewerSchemaError(Exception):
    """A newer version wrote the file."""


class Layout(NamedTuple):
    """What is in a database file, and how it is kept."""

    version: int
    #: SQL, with semicolons between the statements only.
    schema: str
    #: SQLite's pragma.
    synchronous: Literal["NORMAL", "FULL"]
    #: What happens, and what to do, once the file was damaged and put aside.
    once_damaged: str


CACHE = Layout(
    version=SCHEMA_VERSION,
    schema=_SCHEMA,
    # Safe against a crash at any time; a power cut may lose the last records, and a record is
    # only ever written after the file that it names.
    synchronous="NORMAL",
    once_damaged="its records are made again; `indexfallback cache verify` takes the files back in",
)


class Database:
    """A small pool of connections to one file, of which one at a time may write.

    Locks: ``_writing`` is held for a whole transaction; whoever holds it waits for nobody but
    the disk and other processes.
    """

    def __init__(self, path: Path, layout: Layout = CACHE) -> None:
        """Open or make the file; raises `NewerSchemaError`, and sqlite3.Error if that fails."""
        self.path = path
        self._layout = layout
        self._idle: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue()
        self._writing = threading.Lock()
        self._closed = threading.Event()
        for _ in range(CONNECTIONS):
            self._idle.put(None)
        with self._alone():
            if schema_version(path) > layout.version:
                raise NewerSchemaError
            try:
                self._prepare()
            except sqlite3.OperationalError:  # no access, disk full, locked: not the file's fault
                self._close_idle()
                raise
            except sqlite3.DatabaseError as error:  # not a database: garbage, or cut short
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
    def _alone(self) -> Iterator[None]:
        """Keep other processes from opening it meanwhile.

        Changing to WAL does not wait for them, and what one puts aside another must not.
        """
        lock = FileLock(self.path.with_name(f"{self.path.name}.lock"))
        ends = time.monotonic() + BUSY_SECONDS
        while not lock.acquire():
            if time.monotonic() > ends:
                raise sqlite3.OperationalError("another process is opening it")
            time.sleep(0.05)  # the lock has no other way to be waited for with a deadline
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
            self.path, error, aside.name, self._layout.once_damaged,
        )  # fmt: skip

    def _connect_all(self) -> None:
        """Open every connection now (2 ms): none can be opened once the directory is gone."""
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
        except sqlite3.Error:  # nobody else closes what was never lent
            connection.close()
            raise
        return connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for reading; raises `StoreError` if none is free in time.

        Raises `StoreClosedError` after `close`: a thread that outlives the store keeps nothing.
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
        """Lend a connection inside a transaction, kept whole or not at all."""
        # SQLite lets one writer in at a time. Its own waiting sleeps in steps of up to 100 ms
        # and would hold the connections that readers need.
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise self._busy("another write does not end")
        try:
            with self.read() as connection, _transaction(connection):
                yield connection
        finally:
            self._writing.release()

    def _busy(self, problem: str) -> StoreError:
        return StoreError(str(self.path), problem, "look for a slow disk")

    def size(self) -> int:
        """Return the bytes on disk, the write-ahead log included."""
        names = (self.path.name, self.path.name + "-wal")
        paths = (self.path.with_name(name) for name in names)
        return sum(path.stat().st_size for path in paths if path.exists())

    def close(self) -> None:
        """Close every connection; those that a thread still has are closed when it is done."""
        self._closed.set()
        self._close_idle()

    def _close_idle(self) -> None:
        taken = []
        with suppress(queue.Empty):
            while True:
                taken.append(self._idle.get_nowait())
        for connection in taken:  # and only then back: the one put last would be the next taken
            if connection is not None:
                connection.close()
            self._idle.put(None)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep all that is written in the block, or nothing."""
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
    """Return the schema version that a database file says it has; 0 if it says none.

    Raises sqlite3.OperationalError if it is there and cannot be read.
    """
    if not path.exists():
        return 0
    # Read by SQLite, since the latest version may stand in the write-ahead log alone; and without
    # writing, since a newer version's file is not ours to touch.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:  # garbage
        return 0
    finally:
        connection.close()
