"""How long an index is waited for, and whom to ask beside it.

Each index gets a share of the deadline; an index that no other one can stand in for gets all of it.
A passing fault is retried once. When an index is slow, a hedged request goes to another index of
its group.
"""

import concurrent.futures
import logging
import random
import time
from concurrent.futures import Future
from typing import Any, NamedTuple

from indexfallback.chain.attempts import Attempt, Attempts
from indexfallback.chain.budget import Budget
from indexfallback.chain.keeper import Asked, Keeper
from indexfallback.chain.latency import FIRST_BYTE_LEAST
from indexfallback.chain.members import Member, Members
from indexfallback.chain.policy import Refuse, Serve, next_step
from indexfallback.chain.question import Question
from indexfallback.config import Index, Settings
from indexfallback.memory.table import Table
from indexfallback.outcome import Kind, Outcome
from indexfallback.store import Store, Validators
from indexfallback.upstream.answers import Limits

#: Of its own: the module's generator belongs to whoever seeds it.
_random = random.SystemRandom()
log = logging.getLogger("indexfallback")

#: Share of the deadline kept back for reading, storing and rendering.
RESERVE = 0.05
#: "Absent" is remembered this long, seconds: one install asks twice, and after an upload a user
#: waits a minute at most.
ABSENT_SECONDS = 60.0
#: A request is retried after about this long, seconds: a gateway that restarts a worker needs some
#: tenths of a second, and the client waits meanwhile.
RETRY_SECONDS = (0.05, 0.2)
#: Budget of retries: a fifth of the requests and two a second, which does not double a storm.
RETRY_SHARE, RETRY_PER_SECOND, RETRY_MOST = 0.2, 2.0, 10.0
#: Budget of hedged requests: one in twenty, and some at once.
HEDGE_SHARE, HEDGE_PER_SECOND, HEDGE_MOST = 0.05, 0.0, 5.0
#: A first byte that comes this much too late is still heard, seconds: the thread that waits for it
#: must wake up first.
_GRACE = 0.2


def hedge_budget() -> Budget:
    """Return a budget for hedged requests."""
    return Budget(HEDGE_SHARE, HEDGE_PER_SECOND, HEDGE_MOST, time.monotonic)


class _Wait(NamedTuple):
    """How long a client waits for an index; times are on the monotonic clock."""

    #: The end of the index's share.
    until: float
    #: Seconds that the first byte may take.
    first_byte: float
    #: Whether something else is served if the index is silent, so that its silence costs time.
    costs: bool


class Asker:
    """Requests pages from the indexes of a chain, and stores the answers."""

    def __init__(self, settings: Settings, store: Store, members: Members) -> None:
        self._settings = settings
        self._store = store
        self._members = members
        self._keeper = Keeper(settings, store, members)
        self._absent: Table[tuple[str, str], float] = Table("chain.asking.Asker._absent")
        self._attempts = Attempts()
        self._retries = Budget(RETRY_SHARE, RETRY_PER_SECOND, RETRY_MOST, time.monotonic)
        self._hedges = hedge_budget()

    def ask(self, question: Question, position: int, ends: float) -> dict[int, Asked]:
        """Ask the index at ``position``, and perhaps one more of its group; return their answers.

        ``ends`` is on the monotonic clock; each index gets an equal share of what is left.
        """
        now = time.monotonic()
        wait = self._wait(question, position, now, ends)
        member = self._member(question, position)
        # What is waited for first must leave enough time for a request.
        waiting_ends = wait.until - FIRST_BYTE_LEAST
        login = question.login_for(position)
        try:
            attempt = (
                self._attempts.joinable(member.index, question, waiting_ends)
                if login is None
                else None
            )
        except TimeoutError:
            return {position: _not_asked("an earlier request for it is still under way", now)}
        if attempt is None:
            if not member.await_turn(waiting_ends, wait.until - time.monotonic()):
                reason = f"another request has just tried it: {member.health.reason}"
                return {position: _not_asked(reason, now)}
            self._retries.earn()
            self._hedges.earn()
            attempt = self._start(question, position, wait, ends)
        attempts = {position: attempt}
        beside = self._beside(question, position)
        share = wait.until - time.monotonic()
        if beside is not None and member.latency.hedge_after() < min(share, wait.first_byte):
            concurrent.futures.wait([attempt.future], member.latency.hedge_after())
            if not attempt.future.done() and self._hedges.spend():
                # The other index gets its own share too, since it is not asked again later.
                patience = max(wait.first_byte, self._member(question, beside).latency.patience())
                wait = wait._replace(until=wait.until + share, first_byte=patience)
                attempts[beside] = self._start(question, beside, wait, ends)
        return self._collect(attempts, wait)

    def _wait(self, question: Question, position: int, now: float, ends: float) -> _Wait:
        """Return how long to wait for an index: for all of the rest if no other can answer."""
        left = max(0.0, ends - now)
        silent = next_step(question.learnt(position, Outcome(Kind.UNREACHABLE, "")))
        if isinstance(silent, Refuse) or (isinstance(silent, Serve) and silent.stale):
            return _Wait(now + left, left, costs=isinstance(silent, Serve))
        to_ask = sum(
            c.outcome is None and not c.held and not c.remembered_absent
            for other, c in enumerate(question.chain)
            if other == position or (other > position and other in question.answering)
        )
        patience = self._member(question, position).latency.patience()
        return _Wait(now + left / max(1, to_ask), patience, costs=True)

    def _member(self, question: Question, position: int) -> Member:
        return self._members[question.chain[position].index.name]

    def _beside(self, question: Question, position: int) -> int | None:
        """Return the index for a hedged request: of the same group, never a private one.

        There is none where the page of one index is wanted.
        """
        index = question.chain[position].index
        if index.is_private or position == question.first:
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
                and self._attempts.running(c.index, question.project) is None
            ),
            None,
        )

    def _start(self, question: Question, position: int, wait: _Wait, ends: float) -> Attempt:
        candidate = question.chain[position]
        member = self._member(question, position)
        connect = min(wait.until - time.monotonic(), wait.first_byte)
        revalidate = candidate.page_age is not None and not question.reload

        def ask(attempt: Attempt) -> Asked:
            if member.index.is_directory:  # it is no network that is waited for
                attempt.begin_answer()
            limits = Limits(
                # What comes after the deadline is taken, and kept.
                ends + member.index.read_timeout,
                self._settings.page_size,
                # A little less than the waiter's time, so that the cause of a time-out comes first.
                connect=connect * (1 - RESERVE),
                answering=attempt.begin_answer,
            )
            return self._ask(attempt, limits, wait.until, revalidate=revalidate)

        return self._attempts.start(
            member,
            question.project,
            ask,
            reload=question.reload,
            login=question.login_for(position),
        )

    def _collect(self, attempts: dict[int, Attempt], wait: _Wait) -> dict[int, Asked]:
        """Wait for the first page, or for all attempts, or until the time is over."""
        now = time.monotonic()
        first_byte_ends = min(wait.until, now + wait.first_byte + _GRACE)
        waiting = set(attempts.values())
        while waiting and now < wait.until:
            silent = {attempt for attempt in waiting if not attempt.answering.done()}
            if silent == waiting and now >= first_byte_ends:
                break
            ends = first_byte_ends if silent and now < first_byte_ends else wait.until
            changes: list[Future[Any]] = [a.future for a in waiting]
            changes += [a.answering for a in silent]
            concurrent.futures.wait(changes, ends - now, concurrent.futures.FIRST_COMPLETED)
            done = {attempt for attempt in waiting if attempt.future.done()}
            if any(attempt.future.result().outcome.is_page for attempt in done):
                break
            waiting -= done
            now = time.monotonic()
        quicker = any(a.future.done() for a in attempts.values())
        return {
            position: self._result(attempt, wait, quicker=quicker)
            for position, attempt in attempts.items()
        }

    def _result(self, attempt: Attempt, wait: _Wait, *, quicker: bool) -> Asked:
        if attempt.future.done():
            return attempt.future.result()
        if quicker:  # its answer may still come, and then updates the health
            return Asked(Outcome(Kind.UNREACHABLE, "slower than another of its group"))
        return attempt.give_up(charge=wait.costs)

    def is_absent(self, index: Index, project: str) -> bool:
        """Tell whether an index said within the last minute that it does not have the project."""
        until = self._absent.get((index.key, project)) or 0.0
        return time.monotonic() < until and not index.is_read_each_time

    def forget(self, project: str) -> None:
        """Forget which indexes do not have a project, and what they are being asked."""
        self._attempts.forget(project)
        self._absent.remove_all(lambda source: source[1] == project)

    def _remember_absent(self, index: Index, project: str) -> None:
        self._absent.put((index.key, project), time.monotonic() + ABSENT_SECONDS)

    def _ask(
        self, attempt: Attempt, limits: Limits, retry_until: float, *, revalidate: bool
    ) -> Asked:
        """Ask one index and store its answer; runs in a thread that may outlive the walk."""
        member, project = attempt.member, attempt.project
        index = member.index
        held = self._store.pages.facts(index.key, project)
        validators = held.validators if held is not None and revalidate else Validators()
        upstream = member.upstream
        if attempt.login is not None:
            upstream = upstream.with_login(attempt.login)
        answer = upstream.page(project, limits, *validators)
        if answer.outcome.is_transient and self._retries.spend():
            time.sleep(_random.uniform(*RETRY_SECONDS))
            if time.monotonic() < retry_until:
                answer = upstream.page(project, limits, *validators)
        asked = self._keeper.keep(member, project, answer, held)
        if asked.outcome.kind is Kind.ABSENT and attempt.login is None:
            self._remember_absent(index, project)
        return asked


def _not_asked(reason: str, since: float) -> Asked:
    """Return what a client gets that has waited for its turn in vain."""
    return Asked(Outcome(Kind.UNREACHABLE, reason, time.monotonic() - since))
