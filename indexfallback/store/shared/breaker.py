"""A circuit breaker: a bucket that has failed several times in a row is not asked for a while.

Reading and writing have one each: with read-only credentials, every write fails and no read.

Locks: ``_lock`` guards all fields; there is no I/O under it.
"""

import threading
import time
from collections.abc import Callable
from typing import Literal

from indexfallback.store.shared.answers import Answer, Outcome

#: Failures in a row that open the breaker. One is not enough: when the first failure opened it, a
#: single reset made every shim fetch every file from its index.
MOST_FAILURES = 5
#: While it is open, one request in this time is let through, seconds: at a time-out of 5 s, a
#: hanging bucket delays half of the time one request, and no other.
PAUSE_SECONDS = 10.0

_FAILURES = (Outcome.DENIED, Outcome.UNREACHABLE)

State = Literal["closed", "open"]


class Breaker:
    """Lets requests through, or answers in place of the bucket."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._due = 0.0
        #: The cause of the last failure, empty after a success.
        self.cause = ""

    @property
    def state(self) -> State:
        """``open`` while requests are not let through, but for a trial in each pause."""
        return "open" if self._failures >= MOST_FAILURES else "closed"

    def ask(self, request: Callable[[], Answer]) -> Answer:
        """Return the answer to a request, or that the bucket is not asked now."""
        if not self.allows():
            return Answer(Outcome.UNREACHABLE, cause=f"not asked after failures: {self.cause}")
        answer = request()
        self.record(answer)
        return answer

    def allows(self) -> bool:
        """Tell whether a request may be sent; while open, only the first one of each pause."""
        with self._lock:
            if self._failures < MOST_FAILURES:
                return True
            now = self._clock()
            if now < self._due:
                return False
            self._due = now + PAUSE_SECONDS
            return True

    def record(self, answer: Answer) -> None:
        """Heed the answer to a request."""
        with self._lock:
            if answer.outcome not in _FAILURES:
                self._failures = 0
                self.cause = ""
                return
            self._failures += 1
            self.cause = answer.cause
            self._due = self._clock() + PAUSE_SECONDS
