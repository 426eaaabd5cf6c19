"""The records of blobs in the database: their sizes, and when each was last used.

A new record is valid at once, and is written together with those of other threads.

Locks: ``BlobRecords._lock`` guards ``_used`` and ``_flushed``; there is no I/O under it.
"""

import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from indexfallback.names import is_sha256
from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.forms import is_count, is_text, is_time
from indexfallback.store.pending import PendingRecords
from indexfallback.store.statements import Ordered
from indexfallback.store.totals import QUERY, RECOUNT, Total

#: Times of use are written at most this often, seconds: eviction needs no better clock.
FLUSH_SECONDS = 60.0
#: Names in one query, below 999, the limit of SQLite's oldest versions.
_BATCH = 900

#: Blobs whose size is valid (`forms.is_count`): a damaged one would make the sum wrong.
_SIZED = "typeof(size) = 'integer' AND size BETWEEN 0 AND 1 << 50"
#: Blobs evicted in one transaction, which takes about 5 ms; other writers wait for it.
EVICTED_AT_ONCE = 50
#: The next blobs that no mirrored project needs, behind one of them.
_EVICTABLE = f"""
SELECT sha256, size, used FROM blob WHERE (used, sha256) > (?, ?) AND {_SIZED}
AND NOT EXISTS (SELECT 1 FROM mirror_file WHERE mirror_file.sha256 = blob.sha256)
ORDER BY used, sha256 LIMIT ?
"""  # noqa: S608 - ours
_ALL = Ordered(
    "SELECT sha256, size, added, used FROM blob WHERE sha256 > ? ORDER BY sha256 LIMIT ?", (0,)
)


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

    def sizes_from(self, start: str) -> dict[str, int]:
        """Return the sizes of the blobs whose sha256 begins with ``start``, bytes."""
        self._pending.flush(now=True)
        query = f"SELECT sha256, size FROM blob WHERE sha256 BETWEEN ? AND ? AND {_SIZED}"  # noqa: S608 - ours
        return dict(self._database.rows(query, (start, f"{start}g")))  # behind every digit

    def evictable(self) -> Iterator[list[tuple[str, int]]]:
        """Yield sha256 and size of the blobs that may be evicted, least recently used first.

        They come in small lists, of which each may be removed before the next is read.
        """
        self._pending.flush(now=True)
        used, last = -1.0, ""
        while rows := self._database.rows(_EVICTABLE, (used, last, EVICTED_AT_ONCE)):
            yield [(sha256, size) for sha256, size, _ in rows]
            last, _, used = rows[-1]

    def totals(self) -> Total:
        """Return the number and bytes of all blobs."""
        pending = self._pending.all()
        row = self._database.row(QUERY)
        if row is None or not all(map(is_count, row)):  # damaged
            self.recount()
            row = self._database.row(QUERY)
        files, total, *mirrored = row
        return Total(
            files + len(pending), total + sum(size for size, _ in pending.values()), *mirrored
        )

    def total(self) -> int:
        """Return the bytes of all blobs that may be evicted."""
        return self.totals().evictable_bytes

    def count(self) -> int:
        """Return the number of blobs."""
        return self.totals().files

    def damaged(self) -> list[Any]:
        """Return the keys of the records that are no sha256, or whose values are not valid."""
        return [
            sha256
            for sha256, size, *times in chain.from_iterable(self._database.pieces(_ALL))
            if not is_text(sha256) or not is_sha256(sha256)
            or not is_count(size) or not all(map(is_time, times))
        ]  # fmt: skip

    def drop(self, keys: Iterable[Any]) -> None:
        """Remove damaged records; their files are recorded again when they are next used."""
        with self._database.write() as connection:
            connection.executemany("DELETE FROM blob WHERE sha256 = ?", ((key,) for key in keys))
        self.recount()

    def recount(self) -> None:
        """Count all blobs anew, which takes a second for a million of them."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM total")
            connection.execute(RECOUNT)

    def add(self, sizes: Mapping[str, int]) -> None:
        """Record new blobs, by sha256."""
        now = time.time()
        self._pending.add_all({sha256: (size, now) for sha256, size in sizes.items()})

    def _write(self, batch: Mapping[str, tuple[int, float]]) -> None:
        with self._database.write() as connection:
            connection.executemany(
                "INSERT INTO blob VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET"
                " size = excluded.size, added = excluded.added, used = excluded.used",
                ((sha256, size, now, now) for sha256, (size, now) in batch.items()),
            )

    def remove(self, sha256s: Collection[str]) -> None:
        """Remove records, and the provenance of their files."""
        self._pending.discard(sha256s)
        with self._database.write() as connection:
            for table in ("provenance", "blob"):
                connection.executemany(
                    f"DELETE FROM {table} WHERE sha256 = ?",  # noqa: S608 - ours
                    ((s,) for s in sha256s),
                )

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
