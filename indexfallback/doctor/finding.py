"""One thing that a check found, well or not."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How it is."""

    FAIL = "FAIL"
    WARN = "warn"
    OK = "ok"

    @property
    def rank(self) -> int:
        """The place in a list that begins with the worst."""
        return list(Verdict).index(self)


@dataclass(frozen=True)
class Finding:
    """What is, where, and what to do about it."""

    verdict: Verdict
    #: What was looked at: ``shim``, ``index private``, ``pip``.
    subject: str
    #: One clause, without a full stop.
    what: str
    #: One sentence or a command, without a full stop; empty where nothing is to be done.
    remedy: str = ""


def ok(subject: str, what: str) -> Finding:
    """Return that something is well."""
    return Finding(Verdict.OK, subject, what)


def warn(subject: str, what: str, remedy: str) -> Finding:
    """Return that something may become a problem, or is one for somebody."""
    return Finding(Verdict.WARN, subject, what, remedy)


def fail(subject: str, what: str, remedy: str) -> Finding:
    """Return that something does not work, or is not safe."""
    return Finding(Verdict.FAIL, subject, what, remedy)
