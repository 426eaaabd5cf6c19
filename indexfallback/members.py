"""The chain at run time: each index with its upstream, its health and its figures.

Locks: ``Member._lock`` guards the health and the figures of one index.
"""

import logging
import random
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from indexfallback.config import Index, Settings
from indexfallback.health import Health, State, learn
from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream import open_index
from indexfallback.upstream.answers import Upstream
from indexfallback.upstream.facts import FactsCache

log = logging.getLogger("indexfallback")

#: Answers whose times make up the percentiles: some minutes of a busy index.
_SAMPLES = 200


class Member:
    """One index of the chain while it is used."""

    def __init__(self, index: Index, opener: Callable[[], Upstream], *, offline: bool) -> None:
        self.index = index
        self._offline = offline
        self._opener = opener
        self._lock = threading.Lock()
        self._upstream: Upstream | None = None
        self._health = Health(since=time.monotonic())
        self._seconds: deque[float] = deque(maxlen=_SAMPLES)
        self._requests = 0
        self._errors = 0
        self._last_error = ""
        self._failed = 0.0
        # The failure that was said last, until the index answers again.
        self._said = ""

    @property
    def upstream(self) -> Upstream:
        """The open upstream; opening it imports the HTTP library."""
        with self._lock:
            if self._upstream is None:
                self._upstream = self._opener()
            return self._upstream

    @property
    def health(self) -> Health:
        """What is known of the index's health now."""
        with self._lock:
            return self._health

    def held(self, now: float) -> str:
        """Return why the index is not to be asked now, or nothing. ``now`` is monotonic."""
        health = self.health
        if self.index.is_directory:
            return ""
        if self._offline:
            return "offline"
        if health.may_ask(now):
            return ""
        seconds = health.until - now
        if health.state is State.OPEN:
            return f"circuit open, next try in {seconds:.0f} s: {health.reason}"
        return f"left alone for {seconds:.0f} s: {health.reason}"

    def learn(self, outcome: Outcome) -> None:
        """Take an outcome into the health and the figures, and say what changed."""
        now = time.monotonic()
        with self._lock:
            before = self._health
            after = self._health = learn(before, outcome, now, random.uniform(-1, 1))  # noqa: S311
            self._requests += 1
            if outcome.is_well:
                self._seconds.append(outcome.elapsed)
            else:
                self._errors += 1
                self._last_error = str(outcome)
                self._failed = time.time()
            said, self._said = self._said, "" if outcome.is_well else str(outcome)
        if str(outcome) != said or after.state is not before.state:
            self._say(before, after, outcome, now)

    def _say(self, before: Health, after: Health, outcome: Outcome, now: float) -> None:
        name = self.index.name
        wait = after.until - now
        if outcome.kind is Kind.INSECURE:
            log.error("%s: %s; not asked for %.0f s, never without TLS", name, outcome, wait)
        elif after.state is State.OPEN and before.state is State.CLOSED:
            log.warning("%s: unavailable (%s); skipped for %.0f s", name, outcome, wait)
        elif after.state is State.CLOSED and before.state is State.OPEN:
            log.info("%s: up again after %.0f s", name, now - before.since)
        elif outcome.kind is Kind.DENIED and not before.reason:
            log.warning(
                "%s: access denied (%s); left alone for %.0f s: check user name and password",
                name, outcome, wait,
            )  # fmt: skip
        elif outcome.kind is Kind.LIMITED:
            log.warning("%s: %s; left alone for %.0f s", name, outcome, wait)
        elif outcome.is_unavailable:
            log.warning("%s: %s", name, outcome)

    def status(self) -> dict[str, object]:
        """Return state and figures; seconds, and seconds ago."""
        now = time.monotonic()
        with self._lock:
            health, seconds = self._health, sorted(self._seconds)
            figures = {"requests": self._requests, "errors": self._errors}
            last_error, failed = self._last_error, self._failed
        return {
            "name": self.index.name,
            "role": self.index.role,
            "url": self.index.url,
            "state": health.state.value,
            "since": round(now - health.since, 1),
            "held": self.held(now),
            "next_try": round(max(0.0, health.until - now), 1),
            "p50": round(statistics.median(seconds), 4) if seconds else None,
            "p95": round(seconds[int(len(seconds) * 0.95)], 4) if seconds else None,
            **figures,
            "last_error": last_error,
            # Seconds since the epoch; 0 if never.
            "failed": failed,
        }

    def close(self) -> None:
        """Close the upstream's connections."""
        with self._lock:
            upstream = self._upstream
        if upstream is not None:
            upstream.close()


class Members:
    """All indexes of the chain, in order."""

    def __init__(self, settings: Settings, facts: FactsCache) -> None:
        self._members = {
            index.name: Member(
                index, partial(open_index, index, settings, facts), offline=settings.offline
            )
            for index in settings.indexes
        }

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def __getitem__(self, name: str) -> Member:
        return self._members[name]

    def get(self, name: str) -> Member | None:
        """Return the index of that name, or None."""
        return self._members.get(name)

    def group(self, name: str) -> list[Member]:
        """Return the members of a group, in the order of the chain."""
        return [member for member in self if member.index.group == name]

    def close(self) -> None:
        """Close every upstream."""
        for member in self:
            member.close()
