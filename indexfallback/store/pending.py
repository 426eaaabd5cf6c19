"""Records that are effective at once, even if the disk cannot be written.

Safety depends on some records: which names a private index owns, and the sha256 of a file name.
Such a record is in memory first, and removed from there when it is written.

Locks: ``PendingRecords._lock`` guards the records and the time of the next attempt; there is no I/O
under it. ``_writing`` is held by the one thread that writes; a request never waits for it.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from indexfallback.errors import StoreError
from indexfallback.store.best_effort import StoreFault

log = logging.getLogger("indexfallback.store")

K = TypeVar("K")
V = TypeVar("V")

#: Most records in memory, of about 300 bytes each: 30 MB, a hundred large installs.
MOST = 100_000
#: Wait after a failed write, seconds: not every request should wait for a broken disk.
RETRY_SECONDS = 5.0


class PendingRecords(Generic[K, V]):
    """The records of one table that are not yet written."""

    def __init__(self, what: str, write: Callable[[Mapping[K, V]], None]) -> None:
        """``write`` may raise `StoreFault`; ``what`` names the records in messages."""
        self._what = what
        self._write = write
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._records: dict[K, V] = {}
        self._due = 0.0

    def add(self, key: K, value: V) -> None:
        """Add a record, and try to write all; raises as `add_all`."""
        self.add_all({key: value})

    def add_all(self, records: Mapping[K, V]) -> None:
        """Add records, and try to write all.

        Raises `StoreError` if there are too many: none may be dropped.
        """
        with self._lock:
            is_full = len(self._records) >= MOST and not records.keys() <= self._records.keys()
            if not is_full:
                self._records.update(records)
        if is_full:
            raise StoreError(
                self._what,
                f"{MOST:,} records could not be written, and memory for them is limited",
                "free space or make the cache directory writable",
            )
        self.flush()

    def get(self, key: K) -> V | None:
        """Return the pending record of ``key``, or None."""
        # One lookup in a dictionary is atomic.
        return self._records.get(key)

    def all(self) -> dict[K, V]:
        """Return all pending records."""
        if not self._records:
            return {}
        with self._lock:
            return dict(self._records)

    def discard(self, keys: Iterable[K]) -> None:
        """Remove records that are no longer valid, after those that are being written."""
        self.flush(now=True)
        with self._lock:
            for key in keys:
                self._records.pop(key, None)

    def flush(self, *, now: bool = False) -> None:
        """Try to write all, unless an attempt has just failed; with ``now`` in any case.

        While another thread writes, it goes on with what was added meanwhile; only with ``now`` it
        is waited for.
        """
        while self._records and self._writing.acquire(blocking=now):
            try:
                is_written = self._write_batch(now=now)
            finally:
                self._writing.release()
            if not is_written:
                return

    def _write_batch(self, *, now: bool) -> bool:
        """Write what is there; return whether there was no fault, now or lately."""
        with self._lock:
            if not now and time.monotonic() < self._due:
                return False
            batch = dict(self._records)
        try:
            self._write(batch)
        except StoreFault as error:  # the records stay in memory for the next attempt
            self._log(error)
            return False
        with self._lock:
            self._due = 0.0
            for key, value in batch.items():
                if self._records.get(key) is value:
                    del self._records[key]
        return True

    def _log(self, error: Exception) -> None:
        with self._lock:
            failed_before, self._due = self._due, time.monotonic() + RETRY_SECONDS
        log.log(
            logging.DEBUG if failed_before else logging.WARNING,
            "%s cannot be written (%s); they are in memory, and written as soon as possible: check "
            "the disk's space and health",
            self._what, error,
        )  # fmt: skip
