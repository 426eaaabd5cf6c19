"""The finding of a check, good or bad."""

from dataclasses import dataclass
from enum import Enum, auto


class Verdict(Enum):
    """The result of a check."""

    FAIL = "FAIL"
    WARN = "warn"
    OK = "ok"

    @property
    def rank(self) -> int:
        """The position in a list that begins with the worst."""
        return list(Verdict).index(self)


class Cause(Enum):
    """A fault of this machine that one check finds and that other checks suffer from."""

    #: No network.
    NETWORK = auto()
    #: A CA bundle that cannot be read.
    TRUST = auto()
    #: A clock that is wrong by days.
    CLOCK = auto()
    #: A full disk.
    DISK = auto()


@dataclass(frozen=True)
class Finding:
    """A finding, and its remedy."""

    verdict: Verdict
    #: The part that was checked: ``shim``, ``index private``, ``pip``.
    subject: str
    #: One clause, without a full stop.
    what: str
    #: One sentence or a command, without a full stop; empty if there is no problem.
    remedy: str = ""
    #: The fault that this finding states.
    states: Cause | None = None
    #: The fault that is the reason of this finding, if another finding states it.
    follows: Cause | None = None
    #: The findings that this one is the reason of (`folding.folded`).
    effects: tuple["Finding", ...] = ()


def ok(subject: str, what: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(Verdict.OK, subject, what)


def warn(subject: str, what: str, remedy: str, *, states: Cause | None = None) -> Finding:
    """Return a finding that may be or become a problem."""
    return Finding(Verdict.WARN, subject, what, remedy, states)


def fail(
    subject: str,
    what: str,
    remedy: str,
    *,
    states: Cause | None = None,
    follows: Cause | None = None,
) -> Finding:
    """Return a finding that does not work, or is not secure."""
    return Finding(Verdict.FAIL, subject, what, remedy, states, follows)
