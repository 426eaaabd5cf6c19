"""Figures of a shared bucket: requests by operation and outcome, their durations, and faults.

Locks: ``Figures._lock`` guards everything; there is no I/O under it.
"""

import threading
from bisect import bisect_left
from collections import Counter
from typing import Any

from indexfallback.store.shared.answers import Outcome

#: Upper bounds of the histogram, seconds: in a data centre a request takes 2 to 50 ms, and it ends
#: at the time-out.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Figures:
    """What happened since the start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._histogram = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._counts: Counter[str] = Counter()

    def observe(self, operation: str, outcome: Outcome, seconds: float) -> None:
        """Count a request."""
        place = bisect_left(BUCKETS, seconds)
        with self._lock:
            self._requests[operation, outcome.value] += 1
            self._histogram[place] += 1
            self._seconds += seconds

    def count(self, what: str, number: int = 1) -> None:
        """Count something else: ``files``, ``bytes``, ``pages``, ``wrong``, ``conflicts``."""
        with self._lock:
            self._counts[what] += number

    def report(self) -> dict[str, Any]:
        """Return all figures, as JSON."""
        with self._lock:
            requests = dict(self._requests)
            histogram, seconds = list(self._histogram), self._seconds
            counts = dict(self._counts)
        by_operation: dict[str, dict[str, int]] = {}
        for (operation, outcome), number in sorted(requests.items()):
            by_operation.setdefault(operation, {})[outcome] = number
        return {
            "requests": by_operation,
            # Upper bound in seconds to the number of requests that took at most that.
            "latency": {
                str(bound): sum(histogram[: place + 1]) for place, bound in enumerate(BUCKETS)
            },
            "latency_seconds": seconds,
            "latency_count": sum(histogram),
            "files": counts.get("files", 0),
            "bytes": counts.get("bytes", 0),
            "pages": counts.get("pages", 0),
            "wrong": counts.get("wrong", 0),
            "conflicts": counts.get("conflicts", 0),
        }
