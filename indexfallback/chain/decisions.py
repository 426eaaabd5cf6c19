"""The latest decisions: which answer each request of a client got, or why it got none.

Locks: ``Decisions._lock`` guards the log and the counter.
"""

import threading
import time
from collections import deque
from typing import NamedTuple

from indexfallback.errors import FileError, IndexFallbackError, LocatedError, ProjectError

#: Decisions that are remembered: those of an install with a hundred requirements.
REMEMBERED = 300
#: Characters that are kept of a cause and of a remedy: a cause names every index that was tried.
_LONGEST = 1000
#: Characters of a file name that are kept.
_NAME = 255

#: ``how`` of a decision that is a failure.
REFUSED = "refused"


class Asked(NamedTuple):
    """A request of a client for a page or a file."""

    #: Name and version: ``pip/26.3``.
    client: str
    #: Normalised; empty if it is not known of a file.
    project: str
    #: Empty for the project's page.
    filename: str
    #: When it was asked for, on the monotonic clock.
    began: float


class Decision(NamedTuple):
    """The answer to a request of a client."""

    #: Counted from 1 since the start.
    number: int
    #: When the answer began, seconds since the epoch.
    when: float
    client: str
    project: str
    #: Empty for the project's page.
    filename: str
    #: The index, or the group of a file; of a failure the private index that the name belongs to.
    owner: str
    #: Of a page as in `answer.Answer.how`; of a file ``cached``, ``ahead`` or ``fetched``; of a
    #: failure `REFUSED`.
    how: str
    #: From the request to the beginning of the answer.
    seconds: float
    #: The HTTP status; 200 also for what the client had already.
    status: int = 200
    #: Of a failure: one clause of why, and one sentence of what to do.
    cause: str = ""
    remedy: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether the client got nothing."""
        return self.how == REFUSED


class Decisions:
    """The latest decisions, of all clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: deque[Decision] = deque(maxlen=REMEMBERED)
        self._count = 0

    def add(
        self, asked: Asked, owner: str, how: str, error: IndexFallbackError | None = None
    ) -> None:
        """Note what a request got now: an answer, or an error."""
        cause, remedy = _reason(error) if error is not None else ("", "")
        status = error.status if error is not None else 200
        now, seconds = time.time(), round(time.monotonic() - asked.began, 4)
        client, project, filename = asked.client, asked.project, asked.filename[:_NAME]
        with self._lock:
            self._count += 1
            self._log.append(
                Decision(
                    self._count, now, client, project, filename, owner, how, seconds, status,
                    cause[:_LONGEST], remedy[:_LONGEST],
                )
            )  # fmt: skip

    def since(self, when: float = 0.0) -> list[Decision]:
        """Return those since a time, seconds since the epoch, the newest first."""
        with self._lock:
            log = list(self._log)
        return [decision for decision in reversed(log) if decision.when >= when]

    def failing(self, project: str) -> list[Decision]:
        """Return the failures of a project's page and files that no answer has followed."""
        return [decision for decision in self._failing() if decision.project == project]

    def failing_projects(self) -> set[str]:
        """Return the projects with such failures."""
        return {decision.project for decision in self._failing()}

    def _failing(self) -> list[Decision]:
        latest: dict[tuple[str, str], Decision] = {}
        for decision in self.since():
            latest.setdefault((decision.project, decision.filename), decision)
        return [decision for decision in latest.values() if decision.is_failure]


def _reason(error: IndexFallbackError) -> tuple[str, str]:
    """Return cause and remedy of an error."""
    if isinstance(error, (ProjectError, FileError)):
        return error.cause, error.remedy
    if isinstance(error, LocatedError):
        return f"{error.where}: {error.problem}", error.remedy
    return str(error), ""
