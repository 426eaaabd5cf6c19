"""Store operations that may fail: without the cache, the shim is slower and still correct."""

import logging
import sqlite3
import threading
import time

from indexfallback.errors import StoreClosedError, StoreError

log = logging.getLogger("indexfallback.store")

#: The exceptions of a write to a full, read-only or broken disk.
StoreFault = (OSError, sqlite3.Error, StoreError)
#: The exception of a read from the database.
RecordsFault = sqlite3.Error

#: Failures are logged at most this often, seconds.
_LOG_EVERY = 60.0


class best_effort:  # noqa: N801 - reads as a statement: with best_effort("store a page")
    """Run a block of store operations; log and suppress `StoreFault`.

    Locks: ``_lock`` guards ``_logged``, the time of the last warning.
    """

    _lock = threading.Lock()
    _logged = float("-inf")

    def __init__(self, action: str) -> None:
        self._action = action

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, StoreFault):
            return False
        if isinstance(error, StoreClosedError):  # by a thread that outlives the store
            return True
        now = time.monotonic()
        with self._lock:
            is_due = now - best_effort._logged > _LOG_EVERY
            if is_due:
                best_effort._logged = now
        if is_due:
            log.warning(
                "cannot %s (%s); continuing without it: check the disk's space and health",
                self._action, error,
            )  # fmt: skip
        return True
