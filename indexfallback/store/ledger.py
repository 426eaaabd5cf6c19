"""The ledger: which projects each private index is known to own, and how complete that is.

A name gets in by the index's own list of names (its root page) or by a page that it served.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

from indexfallback.store.database import Database


class Ownership(NamedTuple):
    """Why a project is known to belong to an index. ``seen`` is seconds since the epoch."""

    #: True if by the index's list of names, False if by a page that it served.
    listed: bool
    seen: float


class NameList(NamedTuple):
    """When an index's list of names was fetched, and how long it was."""

    fetched: float
    names: int


class Ledger:
    """The memory of all private indexes' names, each under the index's address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ownership(self, source: str, project: str) -> Ownership | None:
        """Return why ``project`` is known to belong to the index, or None."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT listed, seen FROM name WHERE source = ? AND project = ?", (source, project)
            ).fetchone()
        return Ownership(bool(row[0]), row[1]) if row else None

    def record_page(self, source: str, project: str) -> None:
        """Remember that the index served a page of the project."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO name VALUES (?, ?, 0, ?)"
                " ON CONFLICT DO UPDATE SET seen = excluded.seen",
                (source, project, time.time()),
            )

    def record_list(self, source: str, projects: Iterable[str]) -> int:
        """Remember the index's whole list of names, in place of the one before."""
        now = time.time()
        with self._database.write() as connection:
            connection.execute("DELETE FROM name WHERE source = ? AND listed", (source,))
            connection.executemany(
                "INSERT INTO name VALUES (?, ?, 1, ?)"
                " ON CONFLICT DO UPDATE SET listed = 1, seen = excluded.seen",
                ((source, project, now) for project in projects),
            )
            names = int(
                connection.execute(
                    "SELECT count(*) FROM name WHERE source = ? AND listed", (source,)
                ).fetchone()[0]
            )
            connection.execute(
                "INSERT OR REPLACE INTO name_list VALUES (?, ?, ?)", (source, now, names)
            )
        return names

    def name_list(self, source: str) -> NameList | None:
        """Return what is known of the index's list of names, or None if it was never fetched."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT fetched, names FROM name_list WHERE source = ?", (source,)
            ).fetchone()
        return NameList(*row) if row else None

    def forget(self, project: str) -> int:
        """Forget who owns a project; return how many indexes were known to."""
        with self._database.write() as connection:
            return connection.execute("DELETE FROM name WHERE project = ?", (project,)).rowcount
