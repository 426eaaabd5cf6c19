"""The figures of an index: how it has answered so far, as `status` shows it.

Locks: ``Figures._lock`` guards everything here but ``_lags``.
"""

import threading
import time
from typing import NamedTuple

from indexfallback.chain.lag import Lag
from indexfallback.outcome import Outcome
from indexfallback.table import Table


class Report(NamedTuple):
    """The figures of an index at one time."""

    requests: int
    errors: int
    #: Of a mirror: how many pages lag behind, and by how many seconds at most.
    behind: int
    behind_seconds: float
    #: When it last failed, seconds since the epoch; 0 if never.
    failed: float
    #: The latest failure.
    last: Outcome | None


class Figures:
    """Counts of one index's answers and failures, its latest failure, and a mirror's lags."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._errors = 0
        self._last: Outcome | None = None
        #: Seconds since the epoch; 0 if never.
        self._failed = 0.0
        #: The latest failure, until the index answers again.
        self._failing = ""
        self._lags: Table[str, Lag] = Table("chain.figures.Figures._lags")

    def count(self, outcome: Outcome) -> bool:
        """Count an outcome; return whether it differs from the one before."""
        failing = "" if outcome.is_answer else str(outcome)
        with self._lock:
            self._requests += 1
            if failing:
                self._errors += 1
                self._last, self._failed = outcome, time.time()
            before, self._failing = self._failing, failing
        return failing != before

    def note_lag(self, project: str, lag: Lag | None) -> None:
        """Note how far a mirror's page is behind its public index."""
        if lag is None:
            self._lags.remove(project)
        else:
            self._lags.put(project, lag)

    def report(self) -> "Report":
        """Return the figures so far."""
        lags = [lag for _, lag in self._lags.items()]
        with self._lock:
            return Report(
                self._requests,
                self._errors,
                behind=len(lags),
                behind_seconds=max((lag.seconds or 0.0 for lag in lags), default=0.0),
                failed=self._failed,
                last=self._last,
            )
