"""The log of events: who changed hosted indexes, tokens and owners of names, what, and when.

An event is in the journal, too, as the records of uploaded files are: a damaged database does not
end the log. A change of an index is noted before it is made, so that its event can be completed if
the process is killed (`hosted.change_log`).
"""

import getpass
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.safety_records import ADD_EVENT, Changes, is_event
from indexfallback.store.statements import AT_ONCE
from indexfallback.words import one_line

Action = Literal[
    "uploaded", "yanked", "unyanked", "removed", "promoted", "accepted", "unaccepted", "imported",
    "disowned", "token-created", "token-revoked",
]  # fmt: skip
ACTIONS: tuple[Action, ...] = get_args(Action)
#: Years of a team's releases: 30 MB, once in the database and once in the journal.
KEPT = 100_000
#: Characters of a text that are kept, such as those of a yank's reason.
_LONGEST = 500
#: Digits of an event's number: texts of one length have the order of the numbers.
_DIGITS = 15
_WHAT = "record who changed an index"
_COLUMNS = "id, at, action, project, subject, index_name, actor, token, address, detail"
_SELECT = f"SELECT {_COLUMNS} FROM event"  # noqa: S608 - constants
_BEGUN = f"SELECT {_COLUMNS}, files FROM begun WHERE source = ?"  # noqa: S608
_ADD_BEGUN = "INSERT INTO begun VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_REMOVE_SAME = (
    "DELETE FROM begun WHERE index_name = ? AND action = ? AND project = ? AND subject = ?"
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
    #: File name, version or id of a token; empty for the whole project.
    subject: str
    #: Name of the index, if the change concerns one.
    index_name: str | None
    actor: Actor
    #: Such as the reason of a yank.
    detail: str


class Begun(NamedTuple):
    """A change that was noted, and of which it is not recorded whether it was made."""

    id: str
    #: Its event, if it was made; the time is that of the note.
    event: Event
    #: The sha256 of each file that it concerns, by name; empty where it is not known.
    files: Mapping[str, str]


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

        ``project`` is normalised, ``subject`` as in `Event`. The oldest events are removed, so that
        `KEPT` remain.
        """
        self.add(Event(time.time(), action, project, subject, index, actor, detail))

    def add(self, *events: Event) -> None:
        """Record events, all in one transaction, as `record`."""
        with best_effort(_WHAT), self._database().change() as changes:
            for event in events:
                add_event(changes, event)

    def begin(self, source: str, files: Mapping[str, str], event: Event) -> Begun | None:
        """Note a change of the index at ``source``, which is made next, and its files.

        On a full or broken disk this only logs a warning, and returns None.
        """
        begun = Begun(_id(secrets.randbelow(10**_DIGITS)), event, files)
        row = (begun.id, *_values(event), source, msgspec.json.encode(files).decode())
        with best_effort(_WHAT):
            self._database().execute(_ADD_BEGUN, row)
            return begun
        return None

    def end(self, begun: Begun, *, made: bool) -> None:
        """Remove the note of a change; record its event if it was ``made``, and is not recorded.

        Other notes of the same change are removed with it: the event says that it was made.
        """
        with best_effort(_WHAT), self._database().change() as changes:
            execute = changes.connection.execute
            is_open = execute("DELETE FROM begun WHERE id = ?", (begun.id,)).rowcount > 0
            if is_open and made:  # else another process has ended it
                event = begun.event
                same = (event.index_name, event.action, event.project, event.subject)
                execute(_REMOVE_SAME, same)
                add_event(changes, event)

    def begun(self, source: str) -> list[Begun]:
        """Return the changes of the index at ``source`` that are not ended; raises `StoreFault`."""
        rows = self._database().rows(_BEGUN, (source,))
        return [Begun(row[0], _event(row), _files(row[-1])) for row in rows if is_event(row[:-1])]

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


def add_event(changes: Changes, event: Event) -> None:
    """Record an event in a transaction of the hosting database; raises sqlite3.Error."""
    (last,) = changes.connection.execute("SELECT max(id) FROM event").fetchone()
    number = int(last or 0) + 1
    changes.make(ADD_EVENT, [(_id(number), *_values(event))])
    oldest = _id(max(0, number - KEPT))
    changes.connection.execute("DELETE FROM event WHERE id <= ?", (oldest,))


def _values(event: Event) -> tuple[Any, ...]:
    texts = (*event[1:5], *event.actor, event.detail)
    return (event.at, *map(_text, texts))


def _files(text: str) -> dict[str, str]:
    """Return the files of a noted change; none if the note is damaged."""
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError:
        return {}


def _id(number: int) -> str:
    return f"{number:0{_DIGITS}}"


def _text(value: str | None) -> str | None:
    """Return a text that can be stored and shown, such as of a login name with lone surrogates."""
    if value is None:
        return None
    return one_line(value[:_LONGEST].encode("utf-8", "replace").decode())


def _event(row: Sequence[Any]) -> Event:
    at, action, project, subject, index, name, token, address, detail = row[1:10]
    return Event(at, action, project, subject, index, Actor(name, token, address), detail)
