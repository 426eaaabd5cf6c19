"""The latency of an index: how long its answers take, and how long to wait for the next one.

Locks: ``Latency._lock`` guards ``_seconds``.
"""

import statistics
import threading
from collections import deque
from collections.abc import Sequence

#: A first byte may take four times the 95th percentile of earlier ones, within bounds: below 1.5 s
#: a busy moment would count as an outage, above 5 s no other index could be asked in time.
FIRST_BYTE_SHARE, FIRST_BYTE_LEAST, FIRST_BYTE_MOST = 4.0, 1.5, 5.0
#: An answer is slow above the 95th percentile of earlier ones, within bounds, seconds.
HEDGE_LEAST, HEDGE_MOST = 0.3, 2.0
#: Answers that a percentile needs.
_ENOUGH = 5
#: Answers that the percentiles are made of: some minutes of a busy index.
_SAMPLES = 200


class Latency:
    """The response times of one index, seconds."""

    def __init__(self, known: float | None) -> None:
        """Begin with the 95th percentile that an earlier process has stored, if it has."""
        self._known = known
        self._lock = threading.Lock()
        self._seconds: deque[float] = deque(maxlen=_SAMPLES)

    def add(self, seconds: float) -> None:
        """Take in the response time of an answer."""
        with self._lock:
            self._seconds.append(seconds)

    @property
    def median(self) -> float | None:
        """The time that half of the answers of this process take; None before the first one."""
        ordered = self._ordered()
        return statistics.median(ordered) if ordered else None

    @property
    def p95(self) -> float | None:
        """The time that 19 of 20 answers of this process take; None before the first one."""
        ordered = self._ordered()
        return _percentile_95(ordered) if ordered else None

    @property
    def to_store(self) -> float | None:
        """The 95th percentile for the next process; None if there were too few answers."""
        ordered = self._ordered()
        return _percentile_95(ordered) if len(ordered) >= _ENOUGH else None

    def patience(self) -> float:
        """Return seconds to wait for a first byte: four times the 95th percentile."""
        return min(max(FIRST_BYTE_SHARE * self._expected(), FIRST_BYTE_LEAST), FIRST_BYTE_MOST)

    def hedge_after(self) -> float:
        """Return seconds after which an answer is slow for this index."""
        return min(max(self._expected(), HEDGE_LEAST), HEDGE_MOST)

    def _expected(self) -> float:
        """Return the time that 19 of 20 answers take; infinite while it is not known."""
        ordered = self._ordered()
        if len(ordered) >= _ENOUGH:
            return _percentile_95(ordered)
        return max([self._known, *ordered]) if self._known is not None else float("inf")

    def _ordered(self) -> list[float]:
        with self._lock:
            return sorted(self._seconds)


def _percentile_95(ordered: Sequence[float]) -> float:
    return ordered[int(len(ordered) * 0.95)]
