"""The records that the bucket does not have yet, in the database of the cache.

They are pins, owners and accepted releases that were made while it could not be written. They hold
here, are never dropped, and are written to the bucket as soon as it answers.
"""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from indexfallback.store.acceptances import Acceptance
from indexfallback.store.database import Database
from indexfallback.store.pending import PendingRecords
from indexfallback.store.pins import Pin
from indexfallback.store.statements import Ordered

_PIN, _OWNER, _RELEASE = "pin", "owner", "release"
_COLUMNS = "kind, project, filename, key, sha256, seen, source"
_ALL = Ordered(
    f"SELECT {_COLUMNS} FROM unshared WHERE (kind, project, filename, key, source)"  # noqa: S608 - ours
    " > (?, ?, ?, ?, ?) ORDER BY kind, project, filename, key, source LIMIT ?",
    (0, 1, 2, 3, 6),
)
#: The latest so many conflicts of a project are told.
_MOST_TOLD = 100


class Owner(NamedTuple):
    """That an index has served a project."""

    source: str
    project: str
    #: When first, seconds since the epoch.
    served: float


class Conflict(NamedTuple):
    """A pin of this shim that was given up, since the bucket had another one for the file."""

    project: str
    filename: str
    #: The sha256 that was served here, and the one that holds.
    refused: str
    held: str
    #: Address of the index of the one that holds.
    source: str
    #: When it was found, seconds since the epoch.
    found: float


#: Kind, project, file name, key, source.
_Key = tuple[str, str, str, str, str]
_Record = Pin | Owner | Acceptance


class Unshared:
    """The records that wait for the bucket, and the conflicts that were found with them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: PendingRecords[_Key, _Record] = PendingRecords(
            "the records that the bucket does not have yet", self._write
        )

    def add(self, record: _Record) -> None:
        """Add a record; it holds in memory where it cannot be written."""
        self._pending.add(_key(record), record)

    def _write(self, batch: Mapping[_Key, _Record]) -> None:
        with self._database.write() as connection:
            connection.executemany(
                f"INSERT OR REPLACE INTO unshared ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - ours
                map(_row, batch.values()),
            )

    def remove(self, record: _Record) -> None:
        """Remove a record that the bucket has now, or that holds no more."""
        kind, project, filename, key, source = _key(record)
        self._pending.discard([_key(record)])
        self._database.execute(
            "DELETE FROM unshared WHERE kind = ? AND project = ? AND filename = ? AND key = ?"
            " AND source = ?",
            (kind, project, filename, key, source),
        )

    def has_pin(self, project: str, filename: str) -> bool:
        """Tell whether a pin of a file name waits."""
        if any(key[:3] == (_PIN, project, filename) for key in self._pending.all()):
            return True
        query = "SELECT 1 FROM unshared WHERE kind = ? AND project = ? AND filename = ?"
        return self._database.row(query, (_PIN, project, filename)) is not None

    def count(self) -> int:
        """Return the number of records that wait."""
        # First: one that is written meanwhile is counted twice, and not left out.
        pending = len(self._pending.all())
        number = self._database.row("SELECT count(*) FROM unshared")[0]
        return int(number) + pending

    def all(self) -> list[_Record]:
        """Return the records that wait, at most a thousand of those that are written."""
        self._pending.flush()
        pieces = self._database.pieces(_ALL)
        return [_record(row) for row in next(pieces, [])] + list(self._pending.all().values())

    def releases(self) -> list[Acceptance]:
        """Return the accepted releases that wait."""
        pending = self._pending.all()  # first: what is written meanwhile is in the database
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM unshared WHERE kind = ?", (_RELEASE,))  # noqa: S608 - ours
        records = {_key(record): record for record in map(_record, rows)} | pending
        return [record for record in records.values() if isinstance(record, Acceptance)]

    def note(self, conflict: Conflict) -> None:
        """Record a conflict."""
        self._database.execute(
            "INSERT OR REPLACE INTO pin_conflict VALUES (?, ?, ?, ?, ?, ?)", conflict
        )

    def conflicts(self, project: str | None = None) -> list[Conflict]:
        """Return the latest conflicts, of a project or of all, the latest first."""
        rows = self._database.rows(
            "SELECT project, filename, refused, held, source, found FROM pin_conflict"
            " WHERE project = coalesce(?, project) ORDER BY found DESC LIMIT ?",
            (project, _MOST_TOLD),
        )
        return [Conflict(*row) for row in rows]

    def forget(self, project: str, filename: str | None = None) -> None:
        """Remove the pins and conflicts of a file name, or of a project with its owners."""
        self._pending.discard(
            key
            for key in self._pending.all()
            if key[0] != _RELEASE and key[1] == project and filename in (None, key[2])
        )
        of_file = "WHERE project = ? AND filename = coalesce(?, filename)"
        with self._database.write() as connection:
            connection.execute(
                f"DELETE FROM unshared {of_file} AND kind <> ?",  # noqa: S608 - ours
                (project, filename, _RELEASE),
            )
            connection.execute(f"DELETE FROM pin_conflict {of_file}", (project, filename))  # noqa: S608 - ours


def conflict_of(pin: Pin, held: Pin) -> Conflict:
    """Return the conflict of a pin with the one that holds in the bucket."""
    return Conflict(pin.project, pin.filename, pin.sha256, held.sha256, held.source, time.time())


def _key(record: _Record) -> _Key:
    if isinstance(record, Pin):
        return _PIN, record.project, record.filename, record.key, record.source
    if isinstance(record, Acceptance):
        return _RELEASE, record.project, record.version, "", record.by
    return _OWNER, record.project, "", "", record.source


def _row(record: _Record) -> tuple[object, ...]:
    if isinstance(record, Pin):
        return (_PIN, *record)
    if isinstance(record, Acceptance):
        return _RELEASE, record.project, record.version, "", "", record.accepted, record.by
    return _OWNER, record.project, "", "", "", record.served, record.source


def _record(row: Sequence[object]) -> _Record:
    kind, project, filename, key, sha256, seen, source = row
    if kind == _PIN:
        return Pin(
            str(project), str(filename), str(key), str(sha256), float(str(seen)), str(source)
        )
    if kind == _RELEASE:
        return Acceptance(str(project), str(filename), float(str(seen)), str(source))
    return Owner(str(source), str(project), float(str(seen)))
