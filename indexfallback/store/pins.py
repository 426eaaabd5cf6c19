"""Pins: the sha256 first seen for a file name of a project, which it then keeps."""

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from indexfallback.store.database import Database


class Pin(NamedTuple):
    """A file name's first seen content. ``seen`` is seconds since the epoch."""

    project: str
    filename: str
    sha256: str
    seen: float
    #: Address of the index that it came from.
    source: str


class Pins:
    """All pins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, project: str, filename: str) -> str | None:
        """Return the pinned sha256 of a file, or None if it was never served."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT sha256 FROM pin WHERE project = ? AND filename = ?", (project, filename)
            ).fetchone()
        return row[0] if row else None

    def find(self, project: str, filename: str) -> Pin | None:
        """Return a file's pin with when and where it was first seen, or None."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT project, filename, sha256, seen, source FROM pin"
                " WHERE project = ? AND filename = ?",
                (project, filename),
            ).fetchone()
        return Pin(*row) if row else None

    def of_project(self, project: str) -> dict[str, str]:
        """Return file name to sha256 for one project."""
        with self._database.read() as connection:
            return dict(
                connection.execute(
                    "SELECT filename, sha256 FROM pin WHERE project = ?", (project,)
                ).fetchall()
            )

    def record(self, project: str, filename: str, sha256: str, source: str) -> str:
        """Pin a file's content unless it has a pin already; return the pin that holds."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO pin VALUES (?, ?, ?, ?, ?)",
                (project, filename, sha256, time.time(), source),
            )
            row = connection.execute(
                "SELECT sha256 FROM pin WHERE project = ? AND filename = ?", (project, filename)
            ).fetchone()
        return str(row[0])

    def merge(self, pins: Iterable[Pin]) -> list[Pin]:
        """Take over pins as they are; return those for which another content was seen here."""
        with self._database.write() as connection:
            differing = []
            for pin in pins:
                connection.execute("INSERT OR IGNORE INTO pin VALUES (?, ?, ?, ?, ?)", pin)
                row = connection.execute(
                    "SELECT sha256 FROM pin WHERE project = ? AND filename = ?", pin[:2]
                ).fetchone()
                if row[0] != pin.sha256:
                    differing.append(pin)
        return differing

    def remove(self, project: str, filename: str | None = None) -> int:
        """Forget the pin of one file, or of all of a project; return how many there were."""
        with self._database.write() as connection:
            return connection.execute(
                "DELETE FROM pin WHERE project = ? AND filename = coalesce(?, filename)",
                (project, filename),
            ).rowcount

    def __iter__(self) -> Iterator[Pin]:
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM pin ORDER BY project, filename").fetchall()
        return (Pin(*row) for row in rows)
