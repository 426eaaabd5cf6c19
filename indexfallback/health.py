"""The health of one index: (state, outcome, now) -> state, a circuit breaker without I/O.

``now`` is any clock in seconds that never goes back. All constants stand here.
"""

from dataclasses import dataclass, replace
from enum import Enum

from indexfallback.outcome import Kind, Outcome

#: Failures in a row that open the circuit. A busy server fails now and then: three.
FAILURES_TO_OPEN = 3
#: Silence costs its whole limit each time, and refusals come in no other way: two.
SILENCES_TO_OPEN = 2
#: An index that fails on and off opens too: at least this many outcomes within this many
#: seconds, and under this share of successes.
SAMPLES_TO_OPEN = 5
WINDOW = 30.0
SUCCESS_SHARE = 0.5
#: Successes in a row that close an opened circuit: one may be luck.
SUCCESSES_TO_CLOSE = 2
#: Wait after opening: long enough for a restarting server, then doubling, up to five minutes,
#: which a user who has mended something will wait; spread so that many clients do not return
#: at once.
FIRST_WAIT = 5.0
LONGEST_WAIT = 300.0
JITTER = 0.2
#: The longest wait is reached by then, and 2**1024 is beyond every float.
MOST_DOUBLINGS = 6
#: A wrong certificate is not mended within seconds.
INSECURE_WAIT = 300.0
#: A refused credential is asked for again by every client; once a minute is enough.
DENIED_HOLD = 60.0
#: Wait after 429 that names none.
LIMITED_HOLD = 5.0
#: However long an index asks to be left alone, it is looked at again after an hour.
LONGEST_HOLD = 3600.0


class State(Enum):
    """Where the circuit stands."""

    CLOSED = "closed"
    OPEN = "open"
    #: The wait is over: one request at a time finds out whether the index is back.
    HALF_OPEN = "half-open"


@dataclass(frozen=True)
class Health:
    """What is known of an index's health; times are of the caller's clock."""

    state: State = State.CLOSED
    #: When the circuit was last closed, or opened.
    since: float = 0.0
    #: While open: not tried before. While closed: held until then (denied, rate limited).
    until: float = 0.0
    #: Why it is not asked, in words, and of which kind that was.
    reason: str = ""
    trouble: Kind | None = None
    #: Failures, or while not closed successes, in a row.
    failures: int = 0
    successes: int = 0
    #: How often in a row it opened, which doubles the wait.
    openings: int = 0
    #: A trial is under way, until then at the latest; 0 if none.
    trial: float = 0.0
    #: (when, success) within the window.
    recent: tuple[tuple[float, bool], ...] = ()

    def may_ask(self, now: float) -> bool:
        """Tell whether the index is worth a client's request now."""
        return self.state is State.CLOSED and now >= self.until

    def may_try(self, now: float) -> bool:
        """Tell whether it is time to find out if the index is back, and nobody does so yet."""
        return self.state is not State.CLOSED and now >= max(self.until, self.trial)


def begin_trial(health: Health, now: float, seconds: float) -> Health | None:
    """Return the health with a trial of at most ``seconds`` begun; None while there is one.

    A trial before the wait is over is for those who have no other way to an answer.
    """
    if health.state is State.CLOSED or now < health.trial:
        return None
    state = State.HALF_OPEN if now >= health.until else health.state
    return replace(health, state=state, trial=now + seconds)


def learn(health: Health, outcome: Outcome, now: float, spread: float = 0.0) -> Health:
    """Return the health after an outcome; ``spread`` in [-1, 1] is the caller's chance."""
    kind = outcome.kind
    if kind in (Kind.LOCAL, Kind.OFFLINE, Kind.BARRED, Kind.FORBIDDEN):
        return health
    if kind in (Kind.DENIED, Kind.LIMITED):
        return _hold(health, outcome, now)
    if outcome.is_well:
        return _succeed(health, now)
    if health.state is State.OPEN and now < health.until:
        # Asked before it opened, as up to fifty others were, or tried before the wait was over:
        # no news, and no reason to wait longer.
        return replace(health, trial=0.0)
    failed = replace(
        health,
        failures=health.failures + 1,
        successes=0,
        recent=(*_window(health, now), (now, False)),
    )
    return _open(failed, outcome, now, spread) if _must_open(failed, kind) else failed


def _window(health: Health, now: float) -> tuple[tuple[float, bool], ...]:
    return tuple(sample for sample in health.recent if now - sample[0] <= WINDOW)


def _hold(health: Health, outcome: Outcome, now: float) -> Health:
    default = DENIED_HOLD if outcome.kind is Kind.DENIED else LIMITED_HOLD
    wait = min(outcome.retry_after or default, LONGEST_HOLD)
    until = max(health.until, now + wait)
    return replace(health, until=until, reason=str(outcome), trouble=outcome.kind)


def _succeed(health: Health, now: float) -> Health:
    recent = (*_window(health, now), (now, True))
    successes = health.successes + 1
    if health.state is State.CLOSED:
        # An answer that was under way does not end a hold.
        reason = "" if health.may_ask(now) else health.reason
        return replace(health, failures=0, reason=reason, recent=recent)
    if successes >= SUCCESSES_TO_CLOSE:
        return Health(State.CLOSED, since=now)
    return replace(
        health,
        state=State.HALF_OPEN,
        successes=successes,
        failures=0,
        until=now,
        trial=0.0,
        recent=recent,
    )


def _must_open(health: Health, kind: Kind) -> bool:
    if health.state is not State.CLOSED or kind in (Kind.BLACKHOLE, Kind.INSECURE):
        return True
    if health.failures >= (SILENCES_TO_OPEN if kind is Kind.SILENT else FAILURES_TO_OPEN):
        return True
    good = sum(success for _, success in health.recent)
    return len(health.recent) >= SAMPLES_TO_OPEN and good < len(health.recent) * SUCCESS_SHARE


def _open(health: Health, outcome: Outcome, now: float, spread: float) -> Health:
    doubled = FIRST_WAIT * 2 ** min(health.openings, MOST_DOUBLINGS)
    wait = min(doubled, LONGEST_WAIT) * (1 + JITTER * spread)
    if outcome.kind is Kind.INSECURE:
        wait = INSECURE_WAIT
    elif outcome.retry_after is not None:
        wait = min(outcome.retry_after, LONGEST_HOLD)
    return replace(
        health,
        state=State.OPEN,
        since=now if health.state is State.CLOSED else health.since,
        until=now + wait,
        trial=0.0,
        reason=str(outcome),
        trouble=outcome.kind,
        openings=health.openings + 1,
    )
