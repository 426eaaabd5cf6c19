"""The health of one index: a circuit breaker as pure functions, with all of its constants.

``now`` is in seconds, of any clock that never goes back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from indexfallback.outcome import LOGIN_KINDS, TLS_KINDS, UNREACHABLE_KINDS, Kind, Outcome
from indexfallback.words import counted

#: Consecutive failures that open the circuit: three, since a busy server may fail once or twice.
FAILURES_TO_OPEN = 3
#: The same for an unreachable index: two, since each attempt may cost the whole time limit.
UNREACHABLE_TO_OPEN = 2
#: The circuit of an intermittent index opens, too: with at least this many outcomes within this
#: many seconds, and less than this share of successes.
SAMPLES_TO_OPEN = 5
WINDOW = 30.0
SUCCESS_SHARE = 0.5
#: Outcomes are counted by this many seconds, so that bookkeeping costs the same at every rate.
TALLY_SECONDS = 1.0
#: Consecutive successes that close an open circuit: two, since one may be luck.
SUCCESSES_TO_CLOSE = 2
#: Wait after opening, seconds: enough for a server to restart, then doubled each time up to five
#: minutes, which a user who has repaired something can wait. The jitter keeps many clients from
#: returning at once.
FIRST_WAIT = 5.0
LONGEST_WAIT = 300.0
JITTER = 0.2
#: The longest wait is reached by then, and 2**1024 overflows a float.
MOST_DOUBLINGS = 6
#: A wrong certificate is not repaired within seconds.
INSECURE_WAIT = 300.0
#: Every client would send a refused credential again; once a minute is enough.
DENIED_HOLD = 60.0
#: Different names in a row that are refused before the index is held: an install may need a few
#: names that a login may not read, and a login without any rights costs five requests a minute.
REFUSALS_TO_HOLD = 5
#: Wait after a 429 without Retry-After.
LIMITED_HOLD = 5.0
#: The longest Retry-After that is honoured: an hour.
LONGEST_HOLD = 3600.0


class State(Enum):
    """The state of the circuit."""

    CLOSED = "closed"
    OPEN = "open"
    #: The wait is over: one trial request at a time finds out whether the index works again.
    HALF_OPEN = "half-open"


class Tally(NamedTuple):
    """The outcomes that came within `TALLY_SECONDS` from ``since``."""

    since: float
    total: int
    successes: int


@dataclass(frozen=True)
class Health:
    """The health of an index; times are of the caller's clock."""

    state: State = State.CLOSED
    #: When the circuit was last closed, or opened.
    since: float = 0.0
    #: While open: time of the next trial. While closed: no request before (denied, rate limited).
    until: float = 0.0
    #: Why it is not asked, for messages, and the kind of that outcome.
    reason: str = ""
    trouble: Kind | None = None
    #: Consecutive failures and, while not closed, consecutive successes.
    failures: int = 0
    successes: int = 0
    #: How often it opened since it was last closed; each time doubles the wait.
    openings: int = 0
    #: Latest end of the trial under way; 0 if there is none. And when the latest trial began.
    trial: float = 0.0
    tried: float = 0.0
    #: The outcomes within the window, the oldest first.
    recent: tuple[Tally, ...] = ()
    #: Different names refused in a row, without an answer between; empty text is the root page.
    refused: tuple[str, ...] = ()
    #: Whether it has answered for a name since the start: it does not refuse all of them.
    answers_names: bool = False

    def may_ask(self, now: float) -> bool:
        """Tell whether a client's request may go to the index now."""
        return self.state is State.CLOSED and now >= self.until

    @property
    def wants_login(self) -> bool:
        """Whether all that is wrong is the login that it was asked with."""
        return self.state is State.CLOSED and self.trouble in LOGIN_KINDS

    def may_try(self, now: float) -> bool:
        """Tell whether a trial is due and none is under way."""
        return self.state is not State.CLOSED and now >= max(self.until, self.trial)

    def is_being_tried(self, now: float) -> bool:
        """Tell whether a trial is under way."""
        return self.state is not State.CLOSED and now < self.trial


def begin_trial(health: Health, now: float, seconds: float) -> Health | None:
    """Return the health with a trial of at most ``seconds``; None if one is under way.

    A trial before the wait is over is for a request that no other index can answer.
    """
    if health.state is State.CLOSED or now < health.trial:
        return None
    state = State.HALF_OPEN if now >= health.until else health.state
    return replace(health, state=state, trial=now + seconds, tried=now)


def last_resort(skipped: Mapping[int, Health], now: float, *, nothing_asked: bool) -> int | None:
    """Return which of the skipped indexes may be tried, since no other one can answer.

    It is the first one whose wait is over, or that another request is trying. Where no index could
    be asked, it is the open one whose wait ends first.
    """
    ready = [
        p for p, health in skipped.items() if health.may_try(now) or health.is_being_tried(now)
    ]
    if ready or not nothing_asked:
        return min(ready, default=None)
    opened = [p for p, health in skipped.items() if health.state is not State.CLOSED]
    return min(opened, key=lambda p: skipped[p].until, default=None)


def updated(
    health: Health, outcome: Outcome, now: float, spread: float = 0.0, name: str | None = ""
) -> Health:
    """Return the health after an outcome; ``spread`` is a random number in [-1, 1] for jitter.

    ``name`` is the project that was asked for, empty for the root page, and None if it is known not
    to be the index's own: some indexes refuse what they do not have.
    """
    sent = now - outcome.elapsed
    kind, health = outcome.kind, _tried(health, sent)
    if kind in (Kind.LOCAL, Kind.PAUSED, Kind.OFFLINE, Kind.NOT_ALLOWED, Kind.FORBIDDEN):
        return health
    if kind is Kind.REFUSED:
        return _refuse(health, outcome, now, name)
    if kind is Kind.LIMITED or kind in LOGIN_KINDS:
        return _hold(health, outcome, now)
    if outcome.is_answer:
        return _succeed(replace(health, answers_names=health.answers_names or name != ""), now)
    is_early = health.state is State.OPEN and now < health.until
    if is_early or sent < max(health.since, health.tried):
        # A trial before the wait was over, or a request sent before the circuit last changed or was
        # last tried: it adds no information and must not prolong the wait.
        return health
    failed = replace(
        health,
        failures=health.failures + 1,
        successes=0,
        recent=_counted(health.recent, now, success=False),
    )
    return _open(failed, outcome, now, spread) if _must_open(failed, kind) else failed


def updated_by_file(health: Health, outcome: Outcome, now: float) -> Health:
    """Return the health after an answer to a request for a file, which may have been a trial.

    It shows that the index can be reached, so that the next trial may begin at once. What its pages
    are like only a page shows: a file closes no circuit, and one that fails opens none.
    """
    if health.state is State.CLOSED:
        return health
    health = _tried(health, now - outcome.elapsed)
    if outcome.is_answer or outcome.kind is Kind.REFUSED or outcome.kind in LOGIN_KINDS:
        return replace(health, state=State.HALF_OPEN, until=min(health.until, now))
    return health


def _tried(health: Health, sent: float) -> Health:
    """Return the health without a trial under way, if a request sent then may have been it."""
    return replace(health, trial=0.0) if health.trial and sent >= health.tried else health


def _counted(recent: tuple[Tally, ...], now: float, *, success: bool) -> tuple[Tally, ...]:
    """Return the outcomes within the window with another one."""
    *kept, last = [t for t in recent if now - t.since <= WINDOW] or [Tally(now, 0, 0)]
    if now - last.since >= TALLY_SECONDS:
        kept, last = [*kept, last], Tally(now, 0, 0)
    return (*kept, Tally(last.since, last.total + 1, last.successes + success))


def _refuse(health: Health, outcome: Outcome, now: float, name: str | None) -> Health:
    """Count a refused name; hold the index if that is not the name's own matter.

    Many indexes refuse their root page on principle and serve every name (a bucket, a login that
    may not list). So the root page counts as one name more. Only where no name was answered yet,
    one refused name beside it shows a login without any rights. Alone it never holds: such an index
    would be probed at its root again and again, and no name could be asked for meanwhile.
    """
    refused = health.refused
    if name is not None and name not in refused:
        refused = (*refused, name)
    if health.state is not State.CLOSED:
        health = _succeed(health, now)  # it is up, whatever it refuses
    with_root = "" in refused and len(refused) > 1 and not health.answers_names
    is_general = len(refused) >= REFUSALS_TO_HOLD or with_root
    if health.state is not State.CLOSED or not is_general:
        return replace(health, refused=refused)
    names = counted(sum(map(bool, refused)), "name")
    what = f"its root page and {names}" if "" in refused else names
    reason = f"{outcome} for {what} in a row"
    until = max(health.until, now + DENIED_HOLD)
    return replace(health, until=until, reason=reason, trouble=Kind.REFUSED, refused=())


def _hold(health: Health, outcome: Outcome, now: float) -> Health:
    default = LIMITED_HOLD if outcome.kind is Kind.LIMITED else DENIED_HOLD
    wait = min(outcome.retry_after or default, LONGEST_HOLD)
    until = max(health.until, now + wait)
    return replace(health, until=until, reason=str(outcome), trouble=outcome.kind)


def _succeed(health: Health, now: float) -> Health:
    recent = _counted(health.recent, now, success=True)
    successes = health.successes + 1
    if health.state is State.CLOSED:
        if health.trouble is Kind.REFUSED:  # it does not refuse everything
            health = replace(health, until=now, trouble=None)
        # An answer to an earlier request does not end any other hold.
        reason = "" if health.may_ask(now) else health.reason
        return replace(health, failures=0, reason=reason, recent=recent, refused=())
    if successes >= SUCCESSES_TO_CLOSE:
        return Health(State.CLOSED, since=now, answers_names=health.answers_names)
    return replace(
        health,
        state=State.HALF_OPEN,
        successes=successes,
        failures=0,
        until=now,
        recent=recent,
        refused=(),
    )


def _must_open(health: Health, kind: Kind) -> bool:
    if health.state is not State.CLOSED or kind is Kind.CONNECT_TIMEOUT or kind in TLS_KINDS:
        return True
    if health.failures >= (UNREACHABLE_TO_OPEN if kind in UNREACHABLE_KINDS else FAILURES_TO_OPEN):
        return True
    total = sum(tally.total for tally in health.recent)
    good = sum(tally.successes for tally in health.recent)
    return total >= SAMPLES_TO_OPEN and good < total * SUCCESS_SHARE


def _open(health: Health, outcome: Outcome, now: float, spread: float) -> Health:
    doubled = FIRST_WAIT * 2 ** min(health.openings, MOST_DOUBLINGS)
    wait = min(doubled, LONGEST_WAIT) * (1 + JITTER * spread)
    if outcome.kind in TLS_KINDS:
        wait = INSECURE_WAIT
    elif outcome.retry_after is not None:
        wait = min(outcome.retry_after, LONGEST_HOLD)
    return replace(
        health,
        state=State.OPEN,
        since=now if health.state is State.CLOSED else health.since,
        until=now + wait,
        reason=str(outcome),
        trouble=outcome.kind,
        openings=health.openings + 1,
    )
