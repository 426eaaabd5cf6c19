"""Notices when this process did not run: it was suspended, or got no CPU.

An index is not to blame for such a time. The loop of the prober beats every second; a beat
that comes too late shows the gap, and so does one that is missing now.

Locks: ``Heartbeat._lock`` guards all attributes.
"""

import threading
from collections import deque

#: Seconds between beats.
INTERVAL = 1.0
#: Seconds that a beat may be late on a busy machine: Python's threads wait for each other.
TOLERANCE = 2.0
#: Gaps remembered: those within the longest request.
_GAPS = 16


class Heartbeat:
    """The gaps in the run of this process; all times are on the monotonic clock."""

    def __init__(self) -> None:
        """Expect a beat every `INTERVAL` seconds, from the first one on."""
        self._lock = threading.Lock()
        self._last: float | None = None
        self._gaps: deque[tuple[float, float]] = deque(maxlen=_GAPS)

    def beat(self, now: float) -> None:
        """Note that the process runs."""
        with self._lock:
            if self._last is not None and _is_gap(now - self._last):
                self._gaps.append((self._last, now))
            self._last = now

    def stop(self) -> None:
        """Expect no beat until the next one."""
        with self._lock:
            self._last = None

    def lost(self, since: float, now: float) -> float:
        """Return the seconds between ``since`` and ``now`` in which the process did not run."""
        with self._lock:
            gaps = list(self._gaps)
            if self._last is not None and _is_gap(now - self._last):
                gaps.append((self._last, now))
        within = (min(end, now) - max(begin, since) for begin, end in gaps)
        return sum(seconds - INTERVAL for seconds in within if seconds > INTERVAL)


def _is_gap(seconds: float) -> bool:
    return seconds > INTERVAL + TOLERANCE
