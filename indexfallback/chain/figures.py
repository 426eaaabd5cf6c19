"""The figures of an index: how it has answered so far, as `status` shows it.

Locks: ``Figures._lock`` guards everything here but ``_lags``.
"""

import threading
import time
from typing import NamedTuple

from indexfallback.chain.lag import Lag
from indexfallback.memory.table import Table
from indexfallback.outcome import Outcome


class Report(NamedTuple):
    """The figures of an index at one time."""

    requests: int
    errors: int
    #: Of a mirror: how many pages lag behind, and by how many seconds at most.
    behind: int
    behind_seconds: float
    #: When it last answered, and when it last failed, seconds since the epoch; 0 if never.
    answered: float
    failed: float
    #: When the failures began that no answer has followed; 0 if the latest outcome is an answer.
    failing: float
    #: The latest failure.
    last: Outcome | None


class Figures:
    """Counts of one index's answers and failures, its latest failure, and a mirror's lags."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._errors = 0
        self._last: Outcome | None = None
        #: As in `Report`.
        self._answered = self._failed = self._failing_since = 0.0
        #: The latest failure, until the index answers again.
        self._failing = ""
        self._lags: Table[str, Lag] = Table("chain.figures.Figures._lags")

    def count(self, outcome: Outcome) -> bool:
        """Count an outcome; return whether it differs from the one before."""
        failing, now = "" if outcome.is_answer else str(outcome), time.time()
        with self._lock:
            self._requests += 1
            if failing:
                self._errors += 1
                self._last, self._failed = outcome, now
                self._failing_since = self._failing_since or now
            else:
                self._answered, self._failing_since = now, 0.0
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
                answered=self._answered,
                failed=self._failed,
                failing=self._failing_since,
                last=self._last,
            )
