"""The log of events: who uploaded, yanked, removed, accepted, disowned or promoted what, and when.

An event is in the journal, too, as the records of uploaded files are: a damaged database does not
end the log.
"""

import getpass
import time
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, get_args

from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.safety_records import ADD_EVENT, is_event
from indexfallback.store.statements import AT_ONCE

Action = Literal[
    "uploaded", "yanked", "unyanked", "removed", "accepted", "unaccepted", "disowned", "promoted"
]  # fmt: skip
ACTIONS: tuple[Action, ...] = get_args(Action)
#: Years of a team's releases: 30 MB, once in the database and once in the journal.
KEPT = 100_000
#: Characters of a text that are kept, such as those of a yank's reason.
_LONGEST = 500
#: Digits of an event's number: texts of one length have the order of the numbers.
_DIGITS = 15
_SELECT = (
    "SELECT id, at, action, project, subject, index_name, actor, token, address, detail FROM event"
)


class Actor(NamedTuple):
    """A person or program that changed something."""

    #: Name of the token, or of the local login.
    name: str
    #: Id of the token; None for a command.
    token: str | None = None
    #: Address of the client; empty for a command.
    address: str = ""


class Event(NamedTuple):
    """One change."""

    #: Seconds since the epoch.
    at: float
    #: One of `ACTIONS`.
    action: str
    #: Normalised; empty if the change concerns more than one project.
    project: str
    #: File name or version; empty for the whole project.
    subject: str
    #: Name of the index, if the change concerns one.
    index_name: str | None
    actor: Actor
    #: Such as the reason of a yank.
    detail: str


def local_actor() -> Actor:
    """Return the user of this process, as the actor of a command."""
    try:
        return Actor(getpass.getuser())
    except (ImportError, KeyError, OSError):  # an account without a name, as in a container
        return Actor("unknown")


class Events:
    """All events of the hosting database."""

    def __init__(self, database: Callable[[], Database]) -> None:
        """``database`` opens the hosting database; it may raise `StoreError`."""
        self._database = database

    def record(
        self,
        action: Action,
        project: str,
        subject: str,
        *,
        index: str | None = None,
        actor: Actor,
        detail: str = "",
    ) -> None:
        """Record what was done just now; on a full or broken disk this only logs a warning.

        ``project`` is normalised, ``subject`` a file name or a version. The oldest events are
        removed, so that `KEPT` remain.
        """
        texts = map(_text, (action, project, subject, index, *actor, detail))
        with best_effort("record who changed an index"), self._database().change() as changes:
            (last,) = changes.connection.execute("SELECT max(id) FROM event").fetchone()
            number = int(last or 0) + 1
            changes.make(ADD_EVENT, [(_id(number), time.time(), *texts)])
            oldest = _id(max(0, number - KEPT))
            changes.connection.execute("DELETE FROM event WHERE id <= ?", (oldest,))

    def read(
        self,
        *,
        project: str | None = None,
        index: str | None = None,
        action: str | None = None,
        since: float | None = None,
        limit: int = KEPT,
    ) -> Iterator[Event]:
        """Yield at most ``limit`` events, newest first, of which some are in memory at a time.

        None stands for any project (normalised), index (its name), action or time (in seconds since
        the epoch). Raises sqlite3.Error and `StoreError`.
        """
        asked = {"project = ?": project, "index_name = ?": index, "action = ?": action,
                 "at >= ?": since}  # fmt: skip
        given = {test: value for test, value in asked.items() if value is not None}
        where = " AND ".join(("id < ?", *given))
        sql = f"{_SELECT} WHERE {where} ORDER BY id DESC LIMIT ?"
        before = "9" * _DIGITS
        while rows := self._database().rows(sql, (before, *given.values(), min(limit, AT_ONCE))):
            yield from (_event(row) for row in rows if is_event(row))
            before, limit = rows[-1][0], limit - len(rows)


def _id(number: int) -> str:
    return f"{number:0{_DIGITS}}"


def _text(value: str | None) -> str | None:
    """Return a text without what cannot be stored, such as lone surrogates of a login name."""
    return value if value is None else value[:_LONGEST].encode("utf-8", "replace").decode()


def _event(row: tuple[str, float, str, str, str, str | None, str, str | None, str, str]) -> Event:
    return Event(*row[1:6], Actor(*row[6:9]), row[9])
