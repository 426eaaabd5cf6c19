"""The open connections to one database file.

A file that is damaged or removed is replaced, and its connections with it: a thread that still has
one of the old connections goes on with the old file until it returns it.
"""

import os
import queue
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

#: KiB of pages that each connection keeps.
_CACHE = 512


def connect(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    """Open a database file in SQLite's ``mode`` (``ro``, ``rw``, ``rwc``); raises sqlite3.Error.

    Further parameters of the address may follow the mode.
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
    )


class PoolClosedError(Exception):
    """The pool was closed, since its file is replaced or the store is closed."""


class Connections:
    """A pool of connections to the file that is at a path now."""

    def __init__(self, path: Path, synchronous: str, count: int, *, busy: float) -> None:
        """Open all, ``count``, now (2 ms), since the file may be removed later.

        ``busy`` is the longest wait for another process's transaction, seconds.
        """
        self.path = path
        self._status = path.stat()
        self._closed = threading.Event()
        #: Has None once the pool is closed, which wakes waiting threads.
        self._idle: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue()
        try:
            for _ in range(count):
                self._idle.put(self._connect(synchronous, busy))
        except sqlite3.Error:
            self.close()
            raise

    def _connect(self, synchronous: str, busy: float) -> sqlite3.Connection:
        connection = connect(self.path, "rw", busy)
        try:
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.Error:  # it is not in the pool yet, so `close` would miss it
            connection.close()
            raise
        return connection

    def is_current(self) -> bool:
        """Tell whether the path still leads to this file; True if the disk cannot be read."""
        try:
            return os.path.samestat(self.path.stat(), self._status)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True

    def take(self, timeout: float) -> sqlite3.Connection:
        """Take a connection; raises queue.Empty if none is returned in time, `PoolClosedError`."""
        connection = self._idle.get(timeout=timeout)
        if connection is None:
            self._idle.put(None)  # for the next waiting thread
            raise PoolClosedError
        return connection

    def give(self, connection: sqlite3.Connection) -> None:
        """Return a connection."""
        self._idle.put(connection)
        if self._closed.is_set():
            self.close()

    @property
    def is_closed(self) -> bool:
        """Whether no connection can be taken any more."""
        return self._closed.is_set()

    def close(self) -> None:
        """Close all; one in use is closed when it is returned."""
        self._closed.set()
        taken = []
        with suppress(queue.Empty):
            while True:
                taken.append(self._idle.get_nowait())
        for connection in taken:
            if connection is not None:
                connection.close()
        self._idle.put(None)
