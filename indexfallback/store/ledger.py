"""The ledger: which projects each private index is known to own, since when, and by what.

A name gets in by the index's own list of names (its root page) or by a page that it served. Only
`Ledger.forget` and `Ledger.forget_all` take one out: a list that is shorter does not.

Locks: ``_lock`` guards ``_lists``; nothing is read or written while it is held.
"""

import hashlib
import threading
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from indexfallback.store.database import Database
from indexfallback.store.keeping import keeping
from indexfallback.store.pending import Pending

#: Names written in one transaction: that takes some 20 ms, and no other writer waits longer.
BATCH = 2000

_ADD = (
    "INSERT INTO name VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    # The earliest of both; SQLite's min() of a NULL is NULL.
    " listed = coalesce(min(listed, excluded.listed), listed, excluded.listed),"
    " served = coalesce(min(served, excluded.served), served, excluded.served),"
    " copied = coalesce(max(copied, excluded.copied), copied, excluded.copied)"
)


class Ownership(NamedTuple):
    """Why a project is known to belong to an index; seconds since the epoch, None if never."""

    #: When its list first named the project.
    listed: float | None = None
    #: When it first served a page of its own for the project.
    served: float | None = None
    #: When its page was last found to be a copy of the public index's (``defer_copies``).
    copied: float | None = None

    @property
    def since(self) -> float | None:
        """When the project was first known to be the index's; None if it is a copy at most."""
        return min((when for when in self[:2] if when is not None), default=None)

    def is_owner(self, defers_copies: bool) -> bool:
        """Tell whether the project is the index's; one that ``defers_copies`` may have a copy."""
        if self.served is not None:
            return True
        return self.listed is not None and not (defers_copies and self.copied is not None)

    def merged(self, other: "Ownership") -> "Ownership":
        """Return what both know together."""
        return Ownership(
            min((w for w in (self.listed, other.listed) if w is not None), default=None),
            min((w for w in (self.served, other.served) if w is not None), default=None),
            max((w for w in (self.copied, other.copied) if w is not None), default=None),
        )


class NameList(NamedTuple):
    """When an index's list of names was fetched last, and how long it was."""

    fetched: float
    names: int


class Seen(NamedTuple):
    """What is known of one name of an index: an `Ownership`, flat."""

    project: str
    listed: float | None
    served: float | None
    copied: float | None = None


class _List(NamedTuple):
    """A list of names that is not written yet."""

    fetched: float
    names: frozenset[str]


class Ledger:
    """The memory of all private indexes' names, each under the index's address."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: Pending[tuple[str, str], Ownership] = Pending(
            "the names of private indexes", self._write
        )
        self._lock = threading.Lock()
        self._lists: dict[str, _List] = {}
        #: Counts what this process has learnt and forgotten: an earlier decision may not hold.
        self.changes = 0

    def owners(self, project: str) -> dict[str, Ownership]:
        """Return what is known of a project, by the address of each index that has had it."""
        self._pending.flush()
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT source, listed, served, copied FROM name WHERE project = ?", (project,)
            ).fetchall()
        owners = {source: Ownership(*row) for source, *row in rows}
        for (source, name), ownership in self._pending.held().items():
            if name == project:
                owners[source] = ownership.merged(owners.get(source, Ownership()))
        for source, listed in self._lists.copy().items():
            if project in listed.names:
                known = Ownership(listed=listed.fetched)
                owners[source] = known.merged(owners.get(source, Ownership()))
        return owners

    def ownership(self, source: str, project: str) -> Ownership | None:
        """Return what is known of a project at one index, or None."""
        return self.owners(project).get(source)

    def record_page(self, source: str, project: str) -> None:
        """Remember that the index served a page of the project that is its own."""
        known = self.owners(project).get(source)
        if known is None or known.served is None:
            self._add(source, project, Ownership(served=time.time()))

    def record_name(self, source: str, project: str) -> None:
        """Remember that the index has something of the project, its own or a copy."""
        known = self.owners(project).get(source)
        if known is None or known.listed is None:
            self._add(source, project, Ownership(listed=time.time()))

    def record_copy(self, source: str, project: str) -> None:
        """Remember that what the index has of the project is the public index's."""
        known = self.owners(project).get(source)
        if known is None or known.copied is None:
            self._add(source, project, Ownership(copied=time.time()))

    def _add(self, source: str, project: str, ownership: Ownership) -> None:
        held = self._pending.get((source, project)) or Ownership()
        self.changes += 1
        self._pending.add((source, project), held.merged(ownership))

    def _write(self, batch: Mapping[tuple[str, str], Ownership]) -> None:
        with self._database.write() as connection:
            connection.executemany(_ADD, ((*key, *known) for key, known in batch.items()))

    def record_list(self, source: str, projects: Iterable[str]) -> int:
        """Remember the names that an index lists; return how many there are.

        A list without names is no knowledge, and changes nothing. Names that an earlier list had
        stay: forgetting an owner is for the user to decide. The list holds at once; if it cannot
        be written, it holds for this process.
        """
        names = frozenset(projects)
        if not names:
            return 0
        now = time.time()
        digest = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:32]
        if self._confirm_list(source, digest, now):
            return len(names)
        with self._lock:
            before = self._lists.get(source)
            # What an earlier list had and could not be written is still owned.
            listed = _List(now, names | before.names if before is not None else names)
            self._lists[source] = listed
            self.changes += 1
        with keeping(f"the list of names of {source}"):
            rest = iter(listed.names)
            while batch := list(islice(rest, BATCH)):
                with self._database.write() as connection:
                    connection.executemany(
                        _ADD, ((source, name, now, None, None) for name in batch)
                    )
            with self._database.write() as connection:
                connection.execute(
                    "INSERT OR REPLACE INTO name_list VALUES (?, ?, ?, ?)",
                    (source, now, len(names), digest),
                )
            with self._lock:
                if self._lists.get(source) is listed:
                    del self._lists[source]
        return len(names)

    def _confirm_list(self, source: str, digest: str, now: float) -> bool:
        """Note that a list came again as it was, if it did: no name of it need be written."""
        with keeping(f"when the list of names of {source} was fetched"):
            with self._database.write() as connection:
                updated = connection.execute(
                    "UPDATE name_list SET fetched = ? WHERE source = ? AND digest = ?",
                    (now, source, digest),
                ).rowcount
            return bool(updated)
        return False

    def seen(self, source: str) -> list[Seen]:
        """Return all that is known of the index's names, sorted, without mere copies."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT project, listed, served, copied FROM name WHERE source = ?"
                " AND coalesce(listed, served) IS NOT NULL ORDER BY project",
                (source,),
            )
            return [Seen(*row) for row in rows]

    def merge(self, source: str, seen: Iterable[Seen], fetched: float | None) -> None:
        """Add what another ledger knows of the index's names; nothing is forgotten.

        ``fetched`` is when its list of names was; None if it never was.
        """
        self.changes += 1
        rest = iter(seen)
        while batch := list(islice(rest, BATCH)):
            with self._database.write() as connection:
                connection.executemany(_ADD, ((source, *each) for each in batch))
        if fetched is not None:
            with self._database.write() as connection:
                connection.execute(
                    "INSERT INTO name_list SELECT ?, ?, count(*), '' FROM name"
                    " WHERE source = ? AND listed IS NOT NULL"
                    " ON CONFLICT DO UPDATE SET fetched = max(fetched, excluded.fetched),"
                    " names = excluded.names, digest = ''",
                    (source, fetched, source),
                )

    def names(self, source: str) -> list[str]:
        """Return the projects known to belong to the index, sorted."""
        return [seen.project for seen in self.seen(source)]

    def name_list(self, source: str) -> NameList | None:
        """Return what is known of the index's list of names, or None if it was never fetched."""
        listed = self._lists.get(source)
        if listed is not None:
            return NameList(listed.fetched, len(listed.names))
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT fetched, names FROM name_list WHERE source = ?", (source,)
            ).fetchone()
        return NameList(*row) if row else None

    def forget(self, project: str) -> int:
        """Forget who owns a project; return how many indexes were known to.

        An index that still lists it owns it again when its list is fetched next.
        """
        self._pending.flush(now=True)
        self.changes += 1
        with self._database.write() as connection:
            connection.execute(
                "UPDATE name_list SET digest = '' WHERE source IN"
                " (SELECT source FROM name WHERE project = ?)",
                (project,),
            )
            return connection.execute("DELETE FROM name WHERE project = ?", (project,)).rowcount

    def forget_all(self, source: str) -> int:
        """Forget all names of an index, and its list; return how many names there were."""
        self._pending.flush(now=True)
        self.changes += 1
        with self._lock:
            self._lists.pop(source, None)
        with self._database.write() as connection:
            connection.execute("DELETE FROM name_list WHERE source = ?", (source,))
            return connection.execute("DELETE FROM name WHERE source = ?", (source,)).rowcount

    def flush(self) -> None:
        """Write what waits in memory, if the disk takes it."""
        self._pending.flush(now=True)
