"""The rate limit of a run, and the count of failures after which the index counts as down.

Locks: ``RateLimiter._lock`` guards ``_next`` and ``_failures``; no wait happens under it.
"""

import threading
import time

#: The longest Retry-After that is obeyed in one step, seconds.
LONGEST_HOLD = 600.0
#: Requests in a row that failed after all retries, until the index counts as down.
MOST_FAILURES = 10


class RateLimiter:
    """Decides when the next request may be sent; shared by all threads of a process."""

    def __init__(self, rate: int | None, stopped: threading.Event) -> None:
        """Allow ``rate`` requests a second, None for any number; ``stopped`` ends every wait."""
        self._interval = 1 / rate if rate else 0.0
        self._stopped = stopped
        self._lock = threading.Lock()
        self._next = 0.0
        self._failures = 0

    def wait(self) -> None:
        """Wait until the next request may be sent, or the run ends."""
        now = time.monotonic()
        with self._lock:
            turn = max(self._next, now)
            if self._interval or turn > now:
                self._next = turn + self._interval
        if turn > now:
            self._stopped.wait(turn - now)

    def hold(self, seconds: float) -> None:
        """Send no request for some seconds, as the index has asked."""
        until = time.monotonic() + min(seconds, LONGEST_HOLD)
        with self._lock:
            self._next = max(self._next, until)

    def pause(self, seconds: float) -> None:
        """Wait before a retry, or until the run ends."""
        self._stopped.wait(seconds)

    def succeeded(self) -> None:
        """Note that a request succeeded."""
        with self._lock:
            self._failures = 0

    def failed(self) -> bool:
        """Note that a request failed after all retries; return whether the index is down."""
        with self._lock:
            self._failures += 1
            return self._failures >= MOST_FAILURES
