"""The indexes of the chain at run time, each with its upstream, its health and its figures.

Locks: ``Member._lock`` guards the health and the upstream of one index; ``_learnt``, a condition of
it, is notified at each outcome.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from indexfallback.chain.figures import Figures
from indexfallback.chain.health_log import log_change
from indexfallback.chain.heartbeat import Heartbeat
from indexfallback.chain.latency import Latency
from indexfallback.chain.network import Network
from indexfallback.chain.remedies import remedy_for
from indexfallback.condition import condition, seconds_in_state
from indexfallback.config import Index, Settings
from indexfallback.health import Health, State, begin_trial, updated, updated_by_file
from indexfallback.hosted.opening import open_any
from indexfallback.outcome import TLS_KINDS, UNREACHABLE_KINDS, Kind, Outcome
from indexfallback.store import Store
from indexfallback.store.health_records import HealthRecords
from indexfallback.upstream.answers import Upstream
from indexfallback.words import span

#: Of its own: the module's generator belongs to whoever seeds it.
_random = random.SystemRandom()
#: Failures that may come from this side, if it did not run meanwhile: silence, and what a server or
#: a gateway does with a client that is silent.
_OF_A_PAUSE = UNREACHABLE_KINDS | {Kind.CONNECT_TIMEOUT, Kind.FAILED}
#: Failures of a file that tell of the whole index, if both are on one host.
_OF_THE_INDEX = UNREACHABLE_KINDS | TLS_KINDS | {Kind.CONNECT_TIMEOUT, Kind.LIMITED}
#: Room for a trial's own limits to strike before the next one may begin, seconds.
_TRIAL_MARGIN = 1.0
#: Skipped files of a directory that a status names; the rest is counted.
SKIPPED_SHOWN = 100


class Member:
    """One index of the chain in use."""

    def __init__(
        self,
        index: Index,
        opener: Callable[[], Upstream],
        *,
        network: Network,
        records: HealthRecords,
        heartbeat: Heartbeat,
    ) -> None:
        """Begin with the health and the latency that an earlier process has stored."""
        self.index = index
        self.latency = Latency(records.latency(index.key))
        self.figures = Figures()
        self._network = network
        self._heartbeat = heartbeat
        self._opener = opener
        self._lock = threading.Lock()
        self._learnt = threading.Condition(self._lock)
        self._upstream: Upstream | None = None
        self._health_records = records
        self._asked = time.monotonic()
        self._health = records.get(index.key) or Health(since=time.monotonic())

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

    @property
    def is_offline(self) -> bool:
        """Whether the user has said to ask no index over a network, and this is one."""
        return not self.index.is_directory and self._network.is_offline

    def held(self, now: float, *, has_login: bool = False) -> str:
        """Return why the index must not be asked now, or an empty text. ``now`` is monotonic.

        With ``has_login`` it may be asked although it has refused other logins.
        """
        health = self.health
        if self.index.is_directory:
            return ""
        if self.is_offline:
            return "offline"
        if health.may_ask(now) or (has_login and health.wants_login):
            return ""
        seconds = health.until - now
        if health.state is not State.CLOSED:
            when = f"next try in {seconds:.0f} s" if seconds > 0 else "being tried"
            return f"down for {span(now - health.since)}, {when}: {health.reason}"
        return f"left alone for {seconds:.0f} s: {health.reason}"

    def await_turn(self, ends: float, seconds: float) -> bool:
        """Wait until a client's request may be sent, and tell whether it may.

        If the circuit is not closed, the request is the trial that tells if the index is back, of
        at most ``seconds``. Another trial that is under way is waited for, until ``ends`` on the
        monotonic clock; if it fails, the request may not be sent.
        """
        if self.index.is_directory or self.is_offline:
            return not self.is_offline
        with self._lock:
            while self._health.state is not State.CLOSED:
                now = time.monotonic()
                trial = begin_trial(self._health, now, seconds + _TRIAL_MARGIN)
                if trial is not None:
                    self._health = trial
                    return True
                if now >= ends:
                    return False
                self._learnt.wait(min(ends, self._health.trial) - now)
                if self._health.state is State.OPEN and not self._health.is_being_tried(now):
                    return False
            return True

    def begin_probe(self, now: float, idle: float, seconds: float) -> bool:
        """Tell whether a background probe is due, and reserve it.

        It is due when the wait of an open circuit is over, or after ``idle`` seconds without a
        request.
        """
        if self.index.is_directory or self.is_offline:
            return False
        with self._lock:
            health = self._health
            if health.may_try(now):
                trial = begin_trial(health, now, seconds)
                self._health = trial or health
                return trial is not None
            due = health.may_ask(now) and now - self._asked >= idle
            if due:
                self._asked = now
            return due

    def learn(self, outcome: Outcome, project: str = "") -> None:
        """Update the health and the figures with an outcome, and log a change.

        ``project`` is what was asked for, empty for the root page.
        """
        outcome = self.judged(outcome)
        now = time.monotonic()
        if not self.index.is_directory:
            self._network.learn(self.index.name, outcome)
        with self._lock:
            before = self._health
            spread = _random.uniform(-1, 1)
            after = self._health = updated(before, outcome, now, spread, self._own(project))
            self._learnt.notify_all()
            self._asked = now
        is_new = self.figures.count(outcome)
        if outcome.is_answer:
            self.latency.add(outcome.elapsed)
        if after.state is not before.state:
            self._health_records.put(self.index.key, after)
        # A failed trial, and the first of two successful ones, change nothing for users.
        closed = [health.state is State.CLOSED for health in (before, after)]
        if is_new or closed[0] is not closed[1]:
            log_change(self.index, before, after, outcome, now)

    def _own(self, project: str) -> str | None:
        """Return the project, or None if by `projects` it is not this index's."""
        is_foreign = project and self.index.projects and not self.index.claims(project)
        return None if is_foreign else project

    def judged(self, outcome: Outcome) -> Outcome:
        """Return an outcome; a failure as this machine's, if it did not run during the request."""
        if outcome.kind not in _OF_A_PAUSE:
            return outcome
        now = time.monotonic()
        lost = self._heartbeat.lost(now - outcome.elapsed, now, time.time())
        if not lost:
            return outcome
        detail = f"this machine did not run for {lost:.0f} s: {outcome}"
        return replace(outcome, kind=Kind.PAUSED, detail=detail)

    def learn_of_file(self, outcome: Outcome) -> None:
        """Update the health with the answer to a request for a file on the index's own host."""
        if outcome.kind in _OF_THE_INDEX:
            self.learn(outcome)
            return
        with self._lock:
            self._health = updated_by_file(self._health, outcome, time.monotonic())
            self._learnt.notify_all()

    def status(self) -> dict[str, object]:
        """Return state and figures; seconds, and seconds ago."""
        now = time.monotonic()
        health = self.health
        # Only a directory skips files: no other index is opened for this.
        skipped = self.upstream.skipped() if self.index.is_directory else ()
        figures = self.figures.report()
        failing = time.time() - figures.failing if figures.failing else None
        state = condition(
            health,
            now,
            offline=self.is_offline,
            requests=figures.requests,
            median=self.latency.median,
        )
        return {
            "name": self.index.name,
            "role": self.index.role,
            "mirror_of": self.index.mirror_of,
            "url": self.index.url,
            # A value of `Condition`.
            "state": state.value,
            "since": round(seconds_in_state(health, now, failing), 1),
            "held": self.held(now),
            "next_try": round(max(0.0, health.until - now), 1),
            "p50": _rounded(self.latency.median),
            "p95": _rounded(self.latency.p95),
            "requests": figures.requests,
            "errors": figures.errors,
            "last_error": str(figures.last or ""),
            "remedy": remedy_for(figures.last.kind, self.index) if figures.last else "",
            "failed": figures.failed,
            "answered": figures.answered,
            "behind": figures.behind,
            "behind_seconds": figures.behind_seconds,
            # Of a directory: files that are not offered, the first of them by name.
            "skipped": len(skipped),
            "skipped_files": [item._asdict() for item in skipped[:SKIPPED_SHOWN]],
        }

    def close(self) -> None:
        """Close the upstream's connections, and store the latency for the next process."""
        with self._lock:
            upstream = self._upstream
        if self.latency.to_store is not None:
            self._health_records.put_latency(self.index.key, self.latency.to_store)
        if upstream is not None:
            upstream.close()


def _rounded(seconds: float | None) -> float | None:
    return round(seconds, 4) if seconds is not None else None


def _open(index: Index, settings: Settings, store: Store) -> Upstream:
    if not (index.upload and index.is_directory):
        return open_any(index, settings, store.local_files)
    from indexfallback.hosted.listing import Listing  # noqa: PLC0415 - 0.2 s, as `open_any`

    return Listing(index, settings, store)


class Members:
    """All indexes: those of the chain in order, then those beside it."""

    def __init__(self, settings: Settings, store: Store, network: Network) -> None:
        self.heartbeat = Heartbeat()
        self._members = {
            index.name: Member(
                index,
                partial(_open, index, settings, store),
                network=network,
                records=store.health_records,
                heartbeat=self.heartbeat,
            )
            for index in settings.every_index
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
