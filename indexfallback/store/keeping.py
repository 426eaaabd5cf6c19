"""What is kept is a help, not a need: a disk that fails makes the shim slower, not wrong."""

import logging
import sqlite3
import threading
import time

from indexfallback.errors import StoreClosedError, StoreError

log = logging.getLogger("indexfallback.store")

#: What writing can fail with when a disk is full, read-only or broken.
StoreFault = (OSError, sqlite3.Error, StoreError)
#: What reading records can fail with.
RecordsFault = sqlite3.Error

#: A failing disk is said at most this often, seconds.
_SAY_EVERY = 60.0


class keeping:  # noqa: N801 - reads as a statement: with keeping("a page")
    """Run a block that keeps something, going on without when the disk fails, and saying so."""

    _lock = threading.Lock()
    _said = float("-inf")

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, StoreFault):
            return False
        if isinstance(error, StoreClosedError):
            return True
        now = time.monotonic()
        with self._lock:
            due = now - keeping._said > _SAY_EVERY
            if due:
                keeping._said = now
        if due:
            log.warning(
                "cannot keep %s (%s); going on without: look at the disk's space and health",
                self._what, error,
            )  # fmt: skip
        return True
