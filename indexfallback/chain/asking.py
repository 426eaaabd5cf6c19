"""Requests for a page to one index.

Each index gets a share of the deadline. A passing fault is retried once. When an index is slow, a
hedged request goes to another index of its group.

Locks: ``Asker._lock`` guards ``_absent``. Each attempt runs in a thread of its own, which ends by
its limits; ``_Attempt._lock`` decides whether the attempt or its waiter tells the index's health.
"""

import concurrent.futures
import logging
import random
import threading
import time
from concurrent.futures import Future

from indexfallback.chain.budget import Budget
from indexfallback.chain.keeper import Asked, Keeper
from indexfallback.chain.members import Member, Members
from indexfallback.chain.question import Question
from indexfallback.config import Index, Settings
from indexfallback.flight import start
from indexfallback.outcome import Kind, Outcome
from indexfallback.store import Store, Validators
from indexfallback.upstream.answers import Limits

log = logging.getLogger("indexfallback")

#: Share of the deadline kept back for reading, storing and rendering.
RESERVE = 0.05
#: "Absent" is remembered this long, seconds: one install asks twice, and after an upload a user
#: waits a minute at most.
ABSENT_SECONDS = 60.0
#: Entries in memory before old ones are dropped.
_REMEMBERED = 4096
#: A request is retried after about this long, seconds: a gateway that restarts a worker needs some
#: tenths of a second, and the client waits meanwhile.
RETRY_SECONDS = (0.05, 0.2)
#: Budget of retries: a fifth of the requests and two a second, which does not double a storm.
RETRY_SHARE, RETRY_PER_SECOND, RETRY_MOST = 0.2, 2.0, 10.0
#: Budget of hedged requests: one in twenty, and some at once.
HEDGE_SHARE, HEDGE_PER_SECOND, HEDGE_MOST = 0.05, 0.0, 5.0
#: Room for a trial's own limits to strike before the next one may begin, seconds.
_TRIAL_MARGIN = 1.0


def hedge_budget() -> Budget:
    """Return a budget for hedged requests."""
    return Budget(HEDGE_SHARE, HEDGE_PER_SECOND, HEDGE_MOST, time.monotonic)


class _Attempt:
    """One running attempt. Its end or its waiter's, whichever is first, updates the health."""

    def __init__(self, member: Member, project: str) -> None:
        self.member = member
        self._project = project
        self.future: Future[Asked]
        self._lock = threading.Lock()
        self._told = False

    def tell(self, outcome: Outcome) -> None:
        with self._lock:
            told, self._told = self._told, True
        if not told:
            self.member.learn(outcome, self._project)


class Asker:
    """Requests pages from the indexes of a chain, and stores the answers."""

    def __init__(self, settings: Settings, store: Store, members: Members) -> None:
        self._settings = settings
        self._store = store
        self._members = members
        self._keeper = Keeper(settings, store, members)
        self._lock = threading.Lock()
        self._absent: dict[tuple[str, str], float] = {}
        self._retries = Budget(RETRY_SHARE, RETRY_PER_SECOND, RETRY_MOST, time.monotonic)
        self._hedges = hedge_budget()

    def ask(self, question: Question, position: int, ends: float) -> dict[int, Asked]:
        """Ask the index at ``position``, and perhaps one more of its group; return their answers.

        ``ends`` is on the monotonic clock; each index gets an equal share of what is left.
        """
        now = time.monotonic()
        to_ask = sum(
            c.outcome is None and not c.held and not c.remembered_absent
            for other, c in enumerate(question.chain)
            if other == position or (other > position and other in question.answering)
        )
        share = max(0.0, ends - now) / max(1, to_ask)
        member = self._member(question, position)
        if not member.begin_trial(now, share + _TRIAL_MARGIN):
            return {
                position: Asked(Outcome(Kind.UNREACHABLE, "another request is trying it already"))
            }
        self._retries.earn()
        self._hedges.earn()
        until = now + share
        attempts = {position: self._start(question, position, until)}
        beside = self._beside(question, position)
        if beside is not None and member.hedge_after() < share:
            concurrent.futures.wait([attempts[position].future], member.hedge_after())
            if not attempts[position].future.done() and self._hedges.spend():
                # The other index gets its own share too, since it is not asked again later.
                until += share
                attempts[beside] = self._start(question, beside, until)
        return self._collect(question.project, attempts, until)

    def _member(self, question: Question, position: int) -> Member:
        return self._members[question.chain[position].index.name]

    def _beside(self, question: Question, position: int) -> int | None:
        """Return the index for a hedged request: of the same group, never a private one."""
        index = question.chain[position].index
        if index.is_private:
            return None
        return next(
            (
                other
                for other, c in enumerate(question.chain)
                if other > position
                and c.index.group == index.group
                and c.outcome is None
                and not c.held
                and not c.is_absent
            ),
            None,
        )

    def _start(self, question: Question, position: int, ends: float) -> _Attempt:
        candidate = question.chain[position]
        member = self._member(question, position)
        # A little less than the waiter's time, so that the cause of a time-out arrives first.
        limits = Limits(
            ends - RESERVE * (ends - time.monotonic()),
            self._settings.page_size,
            member.patience(),
        )
        attempt = _Attempt(member, question.project)

        def work() -> Asked:
            asked = self._ask(
                member, question.project, limits, revalidate=candidate.page_age is not None
            )
            attempt.tell(asked.outcome)
            return asked

        attempt.future = start(work, f"ask-{member.index.name}")
        return attempt

    def _collect(
        self, project: str, attempts: dict[int, _Attempt], ends: float
    ) -> dict[int, Asked]:
        """Wait for the first page, or for all attempts, or until the time is over."""
        waiting = {attempt.future for attempt in attempts.values()}
        while waiting and time.monotonic() < ends:
            done, waiting = concurrent.futures.wait(
                waiting, ends - time.monotonic(), concurrent.futures.FIRST_COMPLETED
            )
            if any(future.result().outcome.is_page for future in done):
                break
        quicker = any(a.future.done() for a in attempts.values())
        return {
            position: self._result(project, attempt, quicker=quicker)
            for position, attempt in attempts.items()
        }

    def _result(self, project: str, attempt: _Attempt, *, quicker: bool) -> Asked:
        if attempt.future.done():
            asked = attempt.future.result()
            if asked.outcome.kind is Kind.ABSENT:
                self._remember_absent(attempt.member.index, project)
            return asked
        if quicker:  # its answer may still come, and then updates the health
            return Asked(Outcome(Kind.UNREACHABLE, "slower than another of its group"))
        late = Outcome(Kind.UNREACHABLE, "no answer within its share of the deadline")
        attempt.tell(late)
        return Asked(late)

    def is_absent(self, index: Index, project: str) -> bool:
        """Tell whether an index said within the last minute that it does not have the project."""
        with self._lock:
            until = self._absent.get((index.key, project), 0.0)
        return time.monotonic() < until and not index.is_directory

    def forget(self, project: str) -> None:
        """Forget which indexes do not have a project."""
        with self._lock:
            for source in [source for source in self._absent if source[1] == project]:
                del self._absent[source]

    def _remember_absent(self, index: Index, project: str) -> None:
        now = time.monotonic()
        with self._lock:
            if len(self._absent) >= _REMEMBERED:
                self._absent = {k: until for k, until in self._absent.items() if until > now}
            self._absent[index.key, project] = now + ABSENT_SECONDS

    def _ask(self, member: Member, project: str, limits: Limits, *, revalidate: bool) -> Asked:
        """Ask one index and store its answer; runs in a thread that may outlive the walk."""
        index = member.index
        held = self._store.pages.facts(index.key, project)
        validators = held.validators if held is not None and revalidate else Validators()
        answer = member.upstream.page(project, limits, *validators)
        if answer.outcome.is_transient and self._retries.spend():
            time.sleep(random.uniform(*RETRY_SECONDS))  # noqa: S311 - to spread, not to hide
            if time.monotonic() < limits.ends:
                answer = member.upstream.page(project, limits, *validators)
        return self._keeper.keep(member, project, answer, held)
