"""Pins: the sha256 first seen for a file name of a project, which it then keeps.

A pin knows the index that it came from. It holds within that index's group: another owner of the
project has files of its own, and the public index of a group corrects its mirrors.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from indexfallback.store.database import Database
from indexfallback.store.pending import Pending

_COLUMNS = "project, filename, sha256, seen, source"


class Pin(NamedTuple):
    """A file name's first seen content. ``seen`` is seconds since the epoch."""

    project: str
    filename: str
    sha256: str
    seen: float
    #: Address of the index that it came from.
    source: str


class _Record(NamedTuple):
    pin: Pin
    #: Addresses of the indexes whose pins give way to this one.
    over: frozenset[str]


class Pins:
    """All pins."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: Pending[tuple[str, str], _Record] = Pending(
            "the sha256 of files that were served", self._write
        )

    def find(self, project: str, filename: str, foreign: Collection[str] = ()) -> Pin | None:
        """Return a file's pin, or None; pins from the addresses of ``foreign`` do not count."""
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM pin WHERE project = ? AND filename = ?",  # noqa: S608
                (project, filename),
            ).fetchone()
        pin = self._current(Pin(*row) if row else None, (project, filename))
        return None if pin is None or pin.source in foreign else pin

    def get(self, project: str, filename: str, foreign: Collection[str] = ()) -> str | None:
        """Return the pinned sha256 of a file, or None."""
        pin = self.find(project, filename, foreign)
        return pin.sha256 if pin is not None else None

    def all_of(self, project: str) -> list[Pin]:
        """Return the pins of one project."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM pin WHERE project = ?",  # noqa: S608 - our own words
                (project,),
            ).fetchall()
        held = self._pending.held()
        pins = {pin.filename: pin for pin in (Pin(*row) for row in rows)}
        for key, record in held.items():
            if key[0] == project:
                pins[key[1]] = self._current(pins.get(key[1]), key) or record.pin
        return list(pins.values())

    def of_project(self, project: str, foreign: Collection[str] = ()) -> dict[str, str]:
        """Return file name to sha256 for one project, without the pins of ``foreign``."""
        return {p.filename: p.sha256 for p in self.all_of(project) if p.source not in foreign}

    def record(
        self,
        project: str,
        filename: str,
        sha256: str,
        source: str,
        over: Collection[str] = (),
    ) -> str:
        """Pin a file's content, and return the sha256 that holds.

        A pin that is there already stays, unless it came from one of the addresses in ``over``.
        The pin holds at once, for this process also where it cannot be written.
        """
        key = (project, filename)
        pin = Pin(project, filename, sha256, time.time(), source)
        waiting = self._pending.get(key)
        if waiting is None or waiting.pin.source in over:
            self._pending.add(key, _Record(pin, frozenset(over)))
        else:
            self._pending.flush()
        found = self.find(project, filename)
        return found.sha256 if found is not None else sha256

    def _current(self, written: Pin | None, key: tuple[str, str]) -> Pin | None:
        """Return the pin that holds: the one written, or the one that waits to replace it."""
        waiting = self._pending.get(key)
        if waiting is None or (written is not None and written.source not in waiting.over):
            return written
        return waiting.pin

    def _write(self, batch: Mapping[tuple[str, str], _Record]) -> None:
        with self._database.write() as connection:
            for pin, over in batch.values():
                marks = ",".join("?" * len(over))
                connection.execute(
                    f"DELETE FROM pin WHERE project = ? AND filename = ?"  # noqa: S608 - marks
                    f" AND source IN ({marks})",
                    (pin.project, pin.filename, *over),
                )
                connection.execute("INSERT OR IGNORE INTO pin VALUES (?, ?, ?, ?, ?)", pin)

    def merge(self, pins: Iterable[Pin]) -> None:
        """Take over pins as they are, for files that have none here."""
        with self._database.write() as connection:
            connection.executemany("INSERT OR IGNORE INTO pin VALUES (?, ?, ?, ?, ?)", pins)

    def remove(self, project: str, filename: str | None = None) -> int:
        """Forget the pin of one file, or of all of a project; return how many there were."""
        self._pending.flush(now=True)
        with self._database.write() as connection:
            return connection.execute(
                "DELETE FROM pin WHERE project = ? AND filename = coalesce(?, filename)",
                (project, filename),
            ).rowcount

    def flush(self) -> None:
        """Write what waits in memory, if the disk takes it."""
        self._pending.flush(now=True)

    def __iter__(self) -> Iterator[Pin]:
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM pin ORDER BY project, filename").fetchall()
        return (Pin(*row) for row in rows)
