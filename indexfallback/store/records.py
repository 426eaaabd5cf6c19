"""What the database says of blobs: their sizes, and when each was last used."""

import threading
import time
from collections.abc import Iterable

from indexfallback.store.database import Database
from indexfallback.store.keeping import keeping

#: Uses are written down at most this often, seconds: eviction needs no better clock.
FLUSH_SECONDS = 60.0
#: Names asked for in one query, below SQLite's oldest limit of 999.
_BATCH = 900

#: Of files, those that no mirrored project needs.
EVICTABLE = "NOT EXISTS (SELECT 1 FROM mirror_file WHERE mirror_file.sha256 = blob.sha256)"


class Records:
    """The records of stored files.

    Locks: ``_lock`` guards ``_touched`` and ``_flushed``; nothing is read or written while it is
    held.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._touched: dict[str, float] = {}
        self._flushed = time.monotonic()

    def held(self, sha256s: Iterable[str]) -> set[str]:
        """Return those of ``sha256s`` that are recorded here."""
        return set(self.sizes(sha256s))

    def sizes(self, sha256s: Iterable[str]) -> dict[str, int]:
        """Return those of ``sha256s`` that are recorded here, with their bytes."""
        wanted = list(sha256s)
        held: dict[str, int] = {}
        with self._database.read() as connection:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                marks = ",".join("?" * len(batch))
                query = f"SELECT sha256, size FROM blob WHERE sha256 IN ({marks})"  # noqa: S608 - marks
                held.update(connection.execute(query, batch).fetchall())
        return held

    def total(self) -> int:
        """Return the bytes of all recorded files that may be evicted."""
        query = f"SELECT coalesce(sum(size), 0) FROM blob WHERE {EVICTABLE}"  # noqa: S608 - ours
        with self._database.read() as connection:
            return int(connection.execute(query).fetchone()[0])

    def count(self) -> int:
        """Return the number of recorded files."""
        with self._database.read() as connection:
            return int(connection.execute("SELECT count(*) FROM blob").fetchone()[0])

    def _forget(self, sha256s: list[str]) -> None:
        with self._database.write() as connection:
            connection.executemany("DELETE FROM blob WHERE sha256 = ?", ((s,) for s in sha256s))

    def _touch(self, sha256: str) -> None:
        now = time.monotonic()
        with self._lock:
            self._touched[sha256] = time.time()
            due = now - self._flushed > FLUSH_SECONDS
            if due:
                self._flushed = now
        if due:
            with keeping("when files were last used"):
                self.flush()

    def flush(self) -> None:
        """Write down when files were last used; raises sqlite3.Error."""
        with self._lock:
            touched, self._touched = self._touched, {}
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE blob SET used = ? WHERE sha256 = ?",
                ((used, sha256) for sha256, used in touched.items()),
            )
