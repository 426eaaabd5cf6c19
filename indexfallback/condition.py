"""The condition of an index in the words of people, the same in every output."""

from enum import Enum

from indexfallback.health import Health, State
from indexfallback.outcome import LOGIN_KINDS, Kind

#: An index is slow if half of its answers take longer, seconds: it is the shortest time that the
#: shim waits for an index whose answers are usually fast.
SLOW = 1.5
#: Kinds that are a fault or a rule of this machine.
_OF_THIS_MACHINE = frozenset({Kind.LOCAL, Kind.PAUSED, Kind.NOT_ALLOWED, Kind.FORBIDDEN})


class Condition(Enum):
    """What users can expect of an index now."""

    UP = "up"
    SLOW = "slow"
    DOWN = "down"
    #: It wants another login.
    UNAUTHORIZED = "refused (401)"
    #: It refuses every name that it is asked for.
    FORBIDDEN = "refused (403)"
    LIMITED = "limited (429)"
    #: No index is asked over a network.
    OFFLINE = "offline"
    UNKNOWN = "not asked yet"
    #: It could not be asked, by a fault or a rule of this machine.
    LOCAL = "not asked"

    @property
    def word(self) -> str:
        """The condition without the status code, for a text that states the answer itself."""
        return self.value.partition(" (")[0]

    @property
    def is_well(self) -> bool:
        """Whether the index is asked as usual."""
        return self in (Condition.UP, Condition.SLOW, Condition.UNKNOWN)


def condition(
    health: Health, now: float, *, offline: bool, requests: int, median: float | None
) -> Condition:
    """Return the condition of an index.

    ``now`` is of the clock of ``health``, ``median`` the time that half of its answers take, in
    seconds, None before the first one.
    """
    if offline:
        return Condition.OFFLINE
    if health.state is not State.CLOSED:
        return Condition.DOWN
    if not health.may_ask(now) and health.trouble is not None:
        return after(health.trouble)
    if not requests:
        return Condition.UNKNOWN
    return Condition.SLOW if median is not None and median > SLOW else Condition.UP


def seconds_in_state(health: Health, now: float, failing: float | None) -> float:
    """Return for how long an index has been in its condition, seconds.

    ``now`` is of the clock of ``health``, ``failing`` for how long it has failed, in seconds; None
    if its latest outcome is an answer. What is only held is so since its failures began.
    """
    is_held = health.state is State.CLOSED and not health.may_ask(now)
    return failing if is_held and failing is not None else now - health.since


def after(kind: Kind) -> Condition:
    """Return the condition that a failure shows."""
    if kind in LOGIN_KINDS:
        return Condition.UNAUTHORIZED
    if kind in _OF_THIS_MACHINE:
        return Condition.LOCAL
    known = {
        Kind.REFUSED: Condition.FORBIDDEN,
        Kind.LIMITED: Condition.LIMITED,
        Kind.OFFLINE: Condition.OFFLINE,
    }
    return known.get(kind, Condition.DOWN)
