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


class Seen(NamedTuple):
    """When a name was last listed by an index, and when a page of it was served; None if never."""

    project: str
    listed: float | None
    served: float | None


class Ledger:
    """The memory of all private indexes' names, each under the index's address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ownership(self, source: str, project: str) -> Ownership | None:
        """Return why ``project`` is known to belong to the index, or None."""
        return self.owners(project).get(source)

    def owners(self, project: str) -> dict[str, Ownership]:
        """Return the addresses of the indexes known to own a project, and why."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT source, listed, served FROM name WHERE project = ?", (project,)
            ).fetchall()
        return {
            source: Ownership(listed is not None, max(listed or 0.0, served or 0.0))
            for source, listed, served in rows
        }

    def record_page(self, source: str, project: str) -> None:
        """Remember that the index served a page of the project."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO name VALUES (?, ?, NULL, ?)"
                " ON CONFLICT DO UPDATE SET served = excluded.served",
                (source, project, time.time()),
            )

    def record_list(self, source: str, projects: Iterable[str]) -> int:
        """Remember the index's whole list of names, in place of the one before.

        What it has served stays its own also if the list does not name it: a list may be cut
        short, and forgetting an owner is for the user to decide.
        """
        now = time.time()
        with self._database.write() as connection:
            connection.execute("UPDATE name SET listed = NULL WHERE source = ?", (source,))
            connection.executemany(
                "INSERT INTO name VALUES (?, ?, ?, NULL)"
                " ON CONFLICT DO UPDATE SET listed = excluded.listed",
                ((source, project, now) for project in projects),
            )
            connection.execute(
                "DELETE FROM name WHERE source = ? AND listed IS NULL AND served IS NULL",
                (source,),
            )
            names = int(
                connection.execute(
                    "SELECT count(*) FROM name WHERE source = ? AND listed IS NOT NULL", (source,)
                ).fetchone()[0]
            )
            connection.execute(
                "INSERT OR REPLACE INTO name_list VALUES (?, ?, ?)", (source, now, names)
            )
        return names

    def seen(self, source: str) -> list[Seen]:
        """Return all that is known of the index's names, sorted."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT project, listed, served FROM name WHERE source = ? ORDER BY project",
                (source,),
            )
            return [Seen(*row) for row in rows]

    def merge(self, source: str, seen: Iterable[Seen], fetched: float | None) -> None:
        """Add what another ledger knows of the index's names; nothing is forgotten.

        ``fetched`` is when its list of names was; None if it never was.
        """
        with self._database.write() as connection:
            connection.executemany(
                "INSERT INTO name VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                # SQLite's max() of a NULL is NULL.
                " listed = coalesce(max(listed, excluded.listed), listed, excluded.listed),"
                " served = coalesce(max(served, excluded.served), served, excluded.served)",
                ((source, *each) for each in seen),
            )
            if fetched is not None:
                connection.execute(
                    "INSERT INTO name_list SELECT ?, ?, count(*) FROM name"
                    " WHERE source = ? AND listed IS NOT NULL"
                    " ON CONFLICT DO UPDATE SET fetched = max(fetched, excluded.fetched),"
                    " names = excluded.names",
                    (source, fetched, source),
                )

    def names(self, source: str) -> list[str]:
        """Return the projects known to belong to the index, sorted."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT project FROM name WHERE source = ? ORDER BY project", (source,)
            )
            return [project for (project,) in rows]

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
