"""Records that hold from the moment they are made, also while the disk does not take them.

Safety rests on some records: which names a private index owns, and which bytes a file name
stands for. Such a record is in memory first, and leaves it once it is written.

Locks: ``Pending._lock`` guards the records and the time of the next try; nothing is read or
written while it is held.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from indexfallback.errors import StoreError
from indexfallback.store.keeping import StoreFault

log = logging.getLogger("indexfallback.store")

K = TypeVar("K")
V = TypeVar("V")

#: Records that wait in memory, of about 300 bytes each: 30 MB, a hundred large installs.
MOST = 100_000
#: Wait after a write that failed, seconds: no request is to wait for a broken disk each time.
RETRY_SECONDS = 5.0


class Pending(Generic[K, V]):
    """The records of one table that are not written yet."""

    def __init__(self, what: str, write: Callable[[Mapping[K, V]], None]) -> None:
        """Write by ``write``, which raises `StoreFault`; ``what`` names the records."""
        self._what = what
        self._write = write
        self._lock = threading.Lock()
        self._records: dict[K, V] = {}
        self._due = 0.0

    def add(self, key: K, value: V) -> None:
        """Hold a record, and try to write all that are held.

        Raises `StoreError` if no more can be held: a record that is dropped would be forgotten.
        """
        with self._lock:
            full = len(self._records) >= MOST and key not in self._records
            if not full:
                self._records[key] = value
        if full:
            raise StoreError(
                self._what,
                f"{MOST:,} records wait to be written, and no more fit into memory",
                "free space or make the cache directory writable",
            )
        self.flush()

    def get(self, key: K) -> V | None:
        """Return the record of ``key`` if it waits to be written."""
        # One look-up of a dictionary is whole by itself.
        return self._records.get(key)

    def held(self) -> dict[K, V]:
        """Return the records that wait to be written."""
        if not self._records:
            return {}
        with self._lock:
            return dict(self._records)

    def flush(self, *, now: bool = False) -> None:
        """Write what is held, unless a try failed a moment ago; with ``now`` in any case."""
        if not self._records:
            return
        with self._lock:
            if not now and time.monotonic() < self._due:
                return
            batch = dict(self._records)
        try:
            self._write(batch)
        except StoreFault as error:  # it stays in memory, and the next call tries again
            self._say(error)
            return
        with self._lock:
            self._due = 0.0
            for key, value in batch.items():
                if self._records.get(key) is value:
                    del self._records[key]

    def _say(self, error: Exception) -> None:
        with self._lock:
            said, self._due = self._due, time.monotonic() + RETRY_SECONDS
        log.log(
            logging.DEBUG if said else logging.WARNING,
            "%s cannot be written (%s); they hold for this process, and are written as soon as "
            "that is possible: look at the disk's space and health",
            self._what, error,
        )  # fmt: skip
