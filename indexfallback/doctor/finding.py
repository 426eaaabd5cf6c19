"""The finding of a check, good or bad."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """The result of a check."""

    FAIL = "FAIL"
    WARN = "warn"
    OK = "ok"

    @property
    def rank(self) -> int:
        """The position in a list that begins with the worst."""
        return list(Verdict).index(self)


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


def ok(subject: str, what: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(Verdict.OK, subject, what)


def warn(subject: str, what: str, remedy: str) -> Finding:
    """Return a finding that may be or become a problem."""
    return Finding(Verdict.WARN, subject, what, remedy)


def fail(subject: str, what: str, remedy: str) -> Finding:
    """Return a finding that does not work, or is not secure."""
    return Finding(Verdict.FAIL, subject, what, remedy)
