"""The gate that every request of a run passes: no more a second than allowed, and not while held.

Locks: ``Gate._lock`` guards ``_next`` and ``_failures``; nothing is waited for while it is held.
"""

import threading
import time

#: The longest that an index's Retry-After is obeyed for in one step, seconds.
LONGEST_HOLD = 600.0
#: Requests that failed one after another, each for good, after which the index counts as gone.
MOST_FAILURES = 10


class Gate:
    """When the next request may go out."""

    def __init__(self, rate: int | None, stopped: threading.Event) -> None:
        """Let ``rate`` requests a second through, None for any number, until ``stopped``."""
        self._interval = 1 / rate if rate else 0.0
        self._stopped = stopped
        self._lock = threading.Lock()
        self._next = 0.0
        self._failures = 0

    def wait(self) -> None:
        """Wait for one's turn, or for the end of the run."""
        now = time.monotonic()
        with self._lock:
            turn = max(self._next, now)
            if self._interval or turn > now:
                self._next = turn + self._interval
        if turn > now:
            self._stopped.wait(turn - now)

    def hold(self, seconds: float) -> None:
        """Let nothing through for a while: the index has asked for that."""
        until = time.monotonic() + min(seconds, LONGEST_HOLD)
        with self._lock:
            self._next = max(self._next, until)

    def pause(self, seconds: float) -> None:
        """Wait before another try, or for the end of the run."""
        self._stopped.wait(seconds)

    def learn(self, *, well: bool) -> bool:
        """Take in how a request ended; tell whether the index still counts as there."""
        with self._lock:
            self._failures = 0 if well else self._failures + 1
            return self._failures < MOST_FAILURES
