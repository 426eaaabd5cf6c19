"""Releases that are accepted although their cooldown is not over.

Those of the user are in the database of what cannot be recreated: that one is accepted, or not any
more, is recorded in the log of events in the same transaction. Those of all shims on a bucket are
there, and as they were last read in the database of the cache.
"""

import time
from typing import NamedTuple

from indexfallback.names import canonical_version
from indexfallback.store.database import Database
from indexfallback.store.events import Action, Actor, Event, add_event


class Acceptance(NamedTuple):
    """A release whose files no cooldown withholds."""

    #: Normalised.
    project: str
    #: As packaging spells what the user has written.
    version: str
    #: Seconds since the epoch.
    accepted: float
    #: The login name of the user who accepted it.
    by: str


_ADD = "INSERT OR IGNORE INTO acceptance VALUES (?, ?, ?, ?)"
_REMOVE = "DELETE FROM acceptance WHERE project = ? AND version = ?"


class Acceptances:
    """The accepted releases of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, project: str, version: str, actor: Actor) -> Acceptance:
        """Accept a release, and return the record: the earlier one if it was accepted before."""
        known = self._find(project, version)
        if known is not None:
            return known
        accepted = Acceptance(project, version, time.time(), actor.name)
        with self._database.change() as changes:
            changes.connection.execute(_ADD, accepted)
            add_event(changes, _event("accepted", accepted, actor))
        return accepted

    def undo(self, project: str, version: str, actor: Actor) -> bool:
        """Remove the record of a release; return whether there was one."""
        known = self._find(project, version)
        if known is None:
            return False
        with self._database.change() as changes:
            removed = changes.connection.execute(_REMOVE, known[:2]).rowcount > 0
            if removed:
                add_event(changes, _event("unaccepted", known, actor))
        return removed

    def add(self, release: Acceptance) -> Acceptance:
        """Add a record of the bucket, and return it; the earlier one if there is one."""
        known = self._find(release.project, release.version)
        if known is not None:
            return known
        self._database.execute(_ADD, release)
        return release

    def remove(self, project: str, version: str) -> bool:
        """Remove a record of the bucket; return whether there was one."""
        known = self._find(project, version)
        return known is not None and self._database.execute(_REMOVE, known[:2]) > 0

    def versions(self, project: str) -> frozenset[str]:
        """Return the accepted versions of a project, canonical (`names.canonical_version`)."""
        found = (canonical_version(each.version) for each in self.all(project))
        return frozenset(version for version in found if version is not None)

    def _find(self, project: str, version: str) -> Acceptance | None:
        """Return the record of a release, or None: 1.0 and 1.0.0 are one."""
        wanted = canonical_version(version)
        known = self.all(project)
        return next((e for e in known if canonical_version(e.version) == wanted), None)

    def all(self, project: str | None = None) -> list[Acceptance]:
        """Return the accepted releases, of one project or of all, the oldest first."""
        where, values = ("WHERE project = ?", (project,)) if project is not None else ("", ())
        rows = self._database.rows(
            f"SELECT project, version, accepted, login FROM acceptance {where} ORDER BY accepted",  # noqa: S608 - ours
            values,
        )
        return [Acceptance(*row) for row in rows]


def _event(action: Action, release: Acceptance, actor: Actor) -> Event:
    return Event(time.time(), action, release.project, release.version, None, actor, "")
