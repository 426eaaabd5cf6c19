"""The records that safety depends on: owners of names, pins of files, and yanks of hosted files.

Without them, a public index could answer for the names of a private one, a file could change, or a
release that was withdrawn would be installed again. The log of events is among them. Each change is
one statement of `STATEMENTS`, made in the database and written to the journal, so the journal alone
can restore the records (`restoring`).
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from indexfallback.names import is_normalized, is_sha256
from indexfallback.process.pauses import with_pauses
from indexfallback.store.forms import is_optional_text, is_text, is_time
from indexfallback.store.journal import Change, Journal, Value
from indexfallback.store.statements import Ordered

#: Project, file name, key, sha256, time, source.
ADD_PIN = "pin"
#: Project, file name, key; None for all of them.
REMOVE_PINS = "unpin"
#: Source, project, listed, served, copied.
ADD_NAME = "name"
#: Project.
REMOVE_OWNERS = "disown"
#: Source, project or None for all of them, time: what was known then is removed.
REMOVE_NAMES = "disown until"
#: Source, time, number of names, digest.
PUT_LIST = "list"
#: Source.
REMOVE_LIST = "unlist"
#: Source, file name, project, sha256, time, Requires-Python, reason of the yank.
PUT_FILE = "hosted"
#: Source, file name.
REMOVE_FILE = "unhosted"
#: Number, time, action, project, subject, index, actor, token, address, detail.
ADD_EVENT = "event"

STATEMENTS = {
    ADD_PIN: "INSERT OR IGNORE INTO pin VALUES (?, ?, ?, ?, ?, ?)",
    REMOVE_PINS: "DELETE FROM pin WHERE project = ? AND filename = coalesce(?, filename)"
    " AND key = coalesce(?, key)",
    # The earlier time, the later one of a copy; SQLite's min() of a NULL is NULL. Nothing is
    # written if nothing changes.
    ADD_NAME: "INSERT INTO name VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " listed = coalesce(min(listed, excluded.listed), listed, excluded.listed),"
    " served = coalesce(min(served, excluded.served), served, excluded.served),"
    " copied = coalesce(max(copied, excluded.copied), copied, excluded.copied)"
    " WHERE excluded.listed < coalesce(listed, 9e99)"
    " OR excluded.served < coalesce(served, 9e99) OR excluded.copied > coalesce(copied, 0)",
    REMOVE_OWNERS: "DELETE FROM name WHERE project = ?",
    REMOVE_NAMES: "DELETE FROM name WHERE source = ? AND project = coalesce(?, project)"
    " AND coalesce(min(listed, served), listed, served, 0) <= ?",
    PUT_LIST: "INSERT OR REPLACE INTO name_list VALUES (?, ?, ?, ?)",
    REMOVE_LIST: "DELETE FROM name_list WHERE source = ?",
    PUT_FILE: "INSERT OR REPLACE INTO hosted_file VALUES (?, ?, ?, ?, ?, ?, ?)",
    REMOVE_FILE: "DELETE FROM hosted_file WHERE source = ? AND filename = ?",
    ADD_EVENT: "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
}
#: The tables of the cache, and the kind that adds a row of each.
OWNERS_AND_PINS = {"name": ADD_NAME, "name_list": PUT_LIST, "pin": ADD_PIN}
#: Those of hosted indexes. Not tokens: one that was revoked must not come back with a damaged line.
HOSTED_FILES = {"hosted_file": PUT_FILE, "event": ADD_EVENT}
#: How the rows of each are read in the order of their keys.
ORDERED = {
    ADD_NAME: Ordered(
        "SELECT * FROM name WHERE (project, source) > (?, ?) ORDER BY project, source LIMIT ?",
        (1, 0),
    ),
    PUT_LIST: Ordered("SELECT * FROM name_list WHERE source > ? ORDER BY source LIMIT ?", (0,)),
    ADD_PIN: Ordered(
        "SELECT * FROM pin WHERE (project, filename, key) > (?, ?, ?)"
        " ORDER BY project, filename, key LIMIT ?",
        (0, 1, 2),
    ),
    PUT_FILE: Ordered(
        "SELECT * FROM hosted_file WHERE (source, filename) > (?, ?)"
        " ORDER BY source, filename LIMIT ?",
        (0, 1),
    ),
    ADD_EVENT: Ordered("SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?", (0,)),
}


class Changes:
    """The changes of one transaction: made in the database, and then written to the journal.

    The journal is written before the commit: it may have a change more than the database, whose
    transaction failed, and never one less.
    """

    def __init__(self, connection: sqlite3.Connection, tables: Mapping[str, str]) -> None:
        """``tables`` are those of the database that are in the journal, as `OWNERS_AND_PINS`."""
        self.connection = connection
        self._tables = tables
        self._made: list[Change] = []

    def make(self, kind: str, rows: Iterable[Sequence[Value]]) -> int:
        """Change the database; return the number of rows changed. Raises sqlite3.Error."""
        changed = 0
        for row in rows:
            count = self.connection.execute(STATEMENTS[kind], row).rowcount
            if count > 0:
                self._made.append(Change(kind, tuple(row)))
                changed += count
        return changed

    def write(self, journal: Journal) -> None:
        """Write the changes to the journal; raises OSError and sqlite3.Error."""
        if self._made and not journal.append(self._made):
            journal.replace(snapshot(self.connection, self._tables))


def snapshot(
    connection: sqlite3.Connection, tables: Mapping[str, str] = OWNERS_AND_PINS
) -> Iterator[Change]:
    """Yield the changes that recreate the present records."""
    for table, kind in tables.items():
        for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - a constant
            yield Change(kind, row)


def recorded(
    pieces: Callable[[Ordered], Iterator[list[Any]]], tables: Mapping[str, str] = OWNERS_AND_PINS
) -> Iterator[Change]:
    """Yield the changes that make the records, with pauses; ``pieces`` is `Database.pieces`.

    What is changed meanwhile may be among them or not.
    """
    for kind in tables.values():
        for rows in with_pauses(pieces(ORDERED[kind])):
            yield from (Change(kind, row) for row in rows)


def is_valid(entry: Change) -> bool:
    """Tell whether a change is of a known kind, with values of the right form.

    For a removal only the number of values is checked.
    """
    statement = STATEMENTS.get(entry.kind)
    if statement is None or statement.count("?") != len(entry.values):
        return False
    is_sound = _FORMS.get(entry.kind)
    return is_sound is None or is_sound(entry.values)


def is_pin(row: Sequence[object]) -> bool:
    """Tell whether a row of the table ``pin`` has the right form."""
    project, filename, key, sha256, seen, source = row
    return (
        is_text(project, filename, key, sha256, source)
        and is_normalized(str(project))
        and (not key or is_sha256(str(key)))
        and is_sha256(str(sha256))
        and bool(filename)
        and is_time(seen)
    )


def is_name(row: Sequence[object]) -> bool:
    """Tell whether a row of the table ``name`` has the right form."""
    source, project, *times = row
    return (
        is_text(source, project)
        and is_normalized(str(project))
        and all(when is None or is_time(when) for when in times)
    )


def is_list(row: Sequence[object]) -> bool:
    """Tell whether a row of the table ``name_list`` has the right form."""
    source, fetched, names, digest = row
    return is_text(source, digest) and is_time(fetched) and isinstance(names, int) and names >= 0


def is_hosted_file(row: Sequence[object]) -> bool:
    """Tell whether a row of the table ``hosted_file`` has the right form."""
    source, filename, project, sha256, uploaded, requires_python, yanked = row
    return (
        is_text(source, filename, project, sha256)
        and is_normalized(str(project))
        and is_sha256(str(sha256))
        and is_time(uploaded)
        and all(text is None or is_text(text) for text in (requires_python, yanked))
    )


def is_event(row: Sequence[object]) -> bool:
    """Tell whether a row of the table ``event`` has the right form."""
    number, at, action, project, subject, index, actor, token, address, detail = row
    return (
        is_text(number, action, project, subject, actor, address, detail)
        and str(number).isdecimal()
        and is_time(at)
        and is_optional_text(index, token)
    )


_FORMS: dict[str, Callable[[Sequence[object]], bool]] = {
    ADD_PIN: is_pin,
    ADD_NAME: is_name,
    PUT_LIST: is_list,
    PUT_FILE: is_hosted_file,
    ADD_EVENT: is_event,
}
