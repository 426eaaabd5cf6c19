"""The records of blobs in the database: their sizes, and when each was last used.

A new record is valid at once, and is written together with those of other threads.

Locks: ``BlobRecords._lock`` guards ``_used`` and ``_flushed``; there is no I/O under it.
"""

import threading
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from indexfallback.names import is_sha256
from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.forms import is_count, is_text, is_time
from indexfallback.store.pending import PendingRecords

#: Times of use are written at most this often, seconds: eviction needs no better clock.
FLUSH_SECONDS = 60.0
#: Names in one query, below 999, the limit of SQLite's oldest versions.
_BATCH = 900

#: Blobs whose size is valid (`forms.is_count`): a damaged one would make the sum wrong.
_SIZED = "typeof(size) = 'integer' AND size BETWEEN 0 AND 1 << 50"
#: Blobs that no mirrored project needs.
_NOT_MIRRORED = "NOT EXISTS (SELECT 1 FROM mirror_file WHERE mirror_file.sha256 = blob.sha256)"


class BlobRecords:
    """The records of all blobs. Methods raise sqlite3.Error and `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: Size, and when it was added.
        self._pending: PendingRecords[str, tuple[int, float]] = PendingRecords(
            "which files are stored", self._write
        )
        self._lock = threading.Lock()
        self._used: dict[str, float] = {}
        self._flushed = time.monotonic()

    def held(self, sha256s: Iterable[str]) -> set[str]:
        """Return those of ``sha256s`` that have a record."""
        return set(self.sizes(sha256s))

    def sizes(self, sha256s: Iterable[str]) -> dict[str, int]:
        """Return the sizes of those of ``sha256s`` that have a record, bytes."""
        wanted = list(sha256s)
        # First: what is written meanwhile is read from the database.
        pending = self._pending.all()
        found: dict[str, int] = {s: pending[s][0] for s in wanted if s in pending}
        with self._database.read() as connection:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                marks = ",".join("?" * len(batch))
                query = f"SELECT sha256, size FROM blob WHERE sha256 IN ({marks})"  # noqa: S608 - marks
                rows = connection.execute(query, batch).fetchall()
                # A damaged record is none: the file is recorded again when it is next used.
                found.update((sha256, size) for sha256, size in rows if is_count(size))
        return found

    def all_sizes(self) -> dict[str, int]:
        """Return the sizes of all blobs, bytes."""
        self._pending.flush(now=True)
        query = f"SELECT sha256, size FROM blob WHERE {_SIZED}"  # noqa: S608 - ours
        return dict(self._database.rows(query))

    def evictable(self) -> list[tuple[str, int]]:
        """Return sha256 and size of all blobs that may be evicted, least recently used first."""
        self._pending.flush(now=True)
        query = f"SELECT sha256, size FROM blob WHERE {_SIZED} AND {_NOT_MIRRORED} ORDER BY used"  # noqa: S608 - ours
        return self._database.rows(query)

    def total(self) -> int:
        """Return the bytes of all blobs that may be evicted."""
        self._pending.flush(now=True)
        query = f"SELECT coalesce(sum(size), 0) FROM blob WHERE {_SIZED} AND {_NOT_MIRRORED}"  # noqa: S608 - ours
        return int(self._database.row(query)[0])

    def count(self) -> int:
        """Return the number of blobs."""
        self._pending.flush(now=True)
        return int(self._database.row("SELECT count(*) FROM blob")[0])

    def damaged(self) -> list[Any]:
        """Return the keys of the records that are no sha256, or whose values are not valid."""
        rows = self._database.rows("SELECT sha256, size, added, used FROM blob")
        return [
            sha256
            for sha256, size, *times in rows
            if not is_text(sha256) or not is_sha256(sha256)
            or not is_count(size) or not all(map(is_time, times))
        ]  # fmt: skip

    def drop(self, keys: Iterable[Any]) -> None:
        """Remove damaged records; their files are recorded again when they are next used."""
        with self._database.write() as connection:
            connection.executemany("DELETE FROM blob WHERE sha256 = ?", ((key,) for key in keys))

    def add(self, sizes: Mapping[str, int]) -> None:
        """Record new blobs, by sha256."""
        now = time.time()
        self._pending.add_all({sha256: (size, now) for sha256, size in sizes.items()})

    def _write(self, batch: Mapping[str, tuple[int, float]]) -> None:
        with self._database.write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO blob VALUES (?, ?, ?, ?)",
                ((sha256, size, now, now) for sha256, (size, now) in batch.items()),
            )

    def remove(self, sha256s: Collection[str]) -> None:
        """Remove records."""
        self._pending.discard(sha256s)
        with self._database.write() as connection:
            connection.executemany("DELETE FROM blob WHERE sha256 = ?", ((s,) for s in sha256s))

    def touch(self, sha256: str) -> None:
        """Record that a blob is used now: in memory, and at times in the database."""
        now = time.monotonic()
        with self._lock:
            self._used[sha256] = time.time()
            is_due = now - self._flushed > FLUSH_SECONDS
            if is_due:
                self._flushed = now
        if is_due:
            with best_effort("record when files were last used"):
                self.flush()

    def flush(self) -> None:
        """Write new records and the times of use to the database."""
        self._pending.flush(now=True)
        with self._lock:
            used, self._used = self._used, {}
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE blob SET used = ? WHERE sha256 = ?",
                ((when, sha256) for sha256, when in used.items()),
            )
