"""Pins: the first sha256 of each file name of a project; another content is refused later.

A pin records its index and applies to the group of that index: another owner of the project has its
own files, and the public index of a group corrects its mirrors.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from indexfallback.store.database import Database
from indexfallback.store.pending import PendingRecords

_COLUMNS = "project, filename, sha256, seen, source"


class Pin(NamedTuple):
    """The sha256 of a file name. ``seen`` is when it was first used, seconds since the epoch."""

    project: str
    filename: str
    sha256: str
    seen: float
    #: Address of its index.
    source: str


class _Record(NamedTuple):
    pin: Pin
    #: Addresses of indexes whose pins this one replaces.
    replaces: frozenset[str]


class Pins:
    """All pins."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: PendingRecords[tuple[str, str], _Record] = PendingRecords(
            "the sha256 of files that were served", self._write
        )

    def find(self, project: str, filename: str, foreign: Collection[str] = ()) -> Pin | None:
        """Return a file's pin, or None; pins of the indexes ``foreign`` are ignored."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM pin WHERE project = ? AND filename = ?",  # noqa: S608
            (project, filename),
        )
        pin = self._current(Pin(*row) if row else None, (project, filename))
        return None if pin is None or pin.source in foreign else pin

    def get(self, project: str, filename: str, foreign: Collection[str] = ()) -> str | None:
        """Return the pinned sha256 of a file, or None."""
        pin = self.find(project, filename, foreign)
        return pin.sha256 if pin is not None else None

    def all_of(self, project: str) -> list[Pin]:
        """Return the pins of one project."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM pin WHERE project = ?",  # noqa: S608 - our own words
            (project,),
        )
        records = self._pending.all()
        pins = {pin.filename: pin for pin in (Pin(*row) for row in rows)}
        for key, record in records.items():
            if key[0] == project:
                pins[key[1]] = self._current(pins.get(key[1]), key) or record.pin
        return list(pins.values())

    def of_project(self, project: str, foreign: Collection[str] = ()) -> dict[str, str]:
        """Return file name to sha256 for one project, without pins of the indexes ``foreign``."""
        return {p.filename: p.sha256 for p in self.all_of(project) if p.source not in foreign}

    def record(
        self, project: str, filename: str, sha256: str, source: str, replaces: Collection[str] = ()
    ) -> str:
        """Pin the sha256 of a file, and return the one that is valid.

        An existing pin is kept, unless it is of one of the indexes ``replaces``. The pin is valid
        at once, and if it cannot be written, for the life of this process.
        """
        key = (project, filename)
        pin = Pin(project, filename, sha256, time.time(), source)
        pending = self._pending.get(key)
        if pending is None or pending.pin.source in replaces:
            self._pending.add(key, _Record(pin, frozenset(replaces)))
        else:
            self._pending.flush()
        found = self.find(project, filename)
        return found.sha256 if found is not None else sha256

    def _current(self, written: Pin | None, key: tuple[str, str]) -> Pin | None:
        """Return the valid pin: the written one, or the pending one that replaces it."""
        pending = self._pending.get(key)
        if pending is None or (written is not None and written.source not in pending.replaces):
            return written
        return pending.pin

    def _write(self, batch: Mapping[tuple[str, str], _Record]) -> None:
        with self._database.write() as connection:
            for pin, replaces in batch.values():
                marks = ",".join("?" * len(replaces))
                connection.execute(
                    f"DELETE FROM pin WHERE project = ? AND filename = ?"  # noqa: S608 - marks
                    f" AND source IN ({marks})",
                    (pin.project, pin.filename, *replaces),
                )
                connection.execute("INSERT OR IGNORE INTO pin VALUES (?, ?, ?, ?, ?)", pin)

    def merge(self, pins: Iterable[Pin]) -> None:
        """Add pins for files that have none."""
        with self._database.write() as connection:
            connection.executemany("INSERT OR IGNORE INTO pin VALUES (?, ?, ?, ?, ?)", pins)

    def remove(self, project: str, filename: str | None = None) -> int:
        """Remove the pin of one file, or of all of a project; return their number."""
        self._pending.flush(now=True)
        return self._database.execute(
            "DELETE FROM pin WHERE project = ? AND filename = coalesce(?, filename)",
            (project, filename),
        )

    def flush(self) -> None:
        """Try to write the pending records."""
        self._pending.flush(now=True)

    def __iter__(self) -> Iterator[Pin]:
        rows = self._database.rows("SELECT * FROM pin ORDER BY project, filename")
        return (Pin(*row) for row in rows)
