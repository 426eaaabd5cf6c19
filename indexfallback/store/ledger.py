"""The ledger: which projects each private index owns, since when, and from which evidence.

A name is added when the index lists it (on its root page) or serves a page for it. Only
`Ledger.forget` and `Ledger.forget_all` remove names; a shorter list does not.

Locks: ``_lock`` guards ``_lists``; there is no I/O under it. ``_recording`` is held by the one
thread that adds a list; a request never waits for it.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import NamedTuple, Protocol

from indexfallback.process.pauses import in_pieces
from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.journal import Value
from indexfallback.store.ownership import NameList, OwnedName, Ownership
from indexfallback.store.pending import PendingRecords
from indexfallback.store.safety_records import (
    ADD_NAME,
    PUT_LIST,
    REMOVE_LIST,
    REMOVE_NAMES,
    REMOVE_OWNERS,
    is_list,
)
from indexfallback.store.sorted_names import SortedNames

#: Names written in one transaction, which takes about 10 ms; other writers wait for it. The lock of
#: the writers is not fair: without a pause the next transaction would begin before those that wait.
BATCH = 1000

#: Later than any time.
_EVER = 9e99

#: Both hold whole records: see `Database.agreed`.
INDEXES = ("sqlite_autoindex_name_1", "name_again")


class _List(NamedTuple):
    """A list of names that is not yet in the database."""

    fetched: float
    names: SortedNames
    digest: str


class OwnerSharing(Protocol):
    """A bucket with the owners that several shims know."""

    def has_served(self, source: str, project: str) -> float | None:
        """Return since when an index has owned a project, as other shims know it, or None."""

    def served(self, source: str, project: str, since: float) -> None:
        """Tell the others that an index has served a project of its own."""

    def listed(self, source: str) -> None:
        """Tell the others that the list of names of an index has changed."""

    def forget_owners(self, project: str, sources: list[str]) -> None:
        """Remove what the bucket has of owners of a project; raises `BucketUnavailableError`."""

    def forget_index(self, source: str) -> None:
        """Remove names and pages of an index; raises `BucketUnavailableError`."""


class Ledger:
    """The names of all private indexes, under the address of the index."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.shared: OwnerSharing | None = None
        self._pending: PendingRecords[tuple[str, str], Ownership] = PendingRecords(
            "the names of private indexes", self._write
        )
        self._lock = threading.Lock()
        self._lists: dict[str, _List] = {}
        self._recording = threading.Lock()
        #: Number of changes by this process; decisions from before a change may be outdated.
        self.changes = 0

    def owners(self, project: str) -> dict[str, Ownership]:
        """Return the ownerships of a project, by the address of the index."""
        self._pending.flush()
        # First: what is written meanwhile is in the database.
        pending, lists = self._pending.all(), self._lists.copy()
        rows = self._database.agreed(
            "SELECT source, listed, served, copied FROM name {index} WHERE project = ?",
            INDEXES,
            (project,),
        )
        owners = {source: Ownership(*row) for source, *row in rows}
        for (source, name), ownership in pending.items():
            if name == project:
                owners[source] = ownership.merged(owners.get(source, Ownership()))
        for source, listed in lists.items():
            if project in listed.names:
                known = Ownership(listed=listed.fetched)
                owners[source] = known.merged(owners.get(source, Ownership()))
        return owners

    def owners_anywhere(self, project: str, sources: Iterable[str]) -> dict[str, Ownership]:
        """Return what `owners` does, and what other shims know of these indexes."""
        owners = self.owners(project)
        if self.shared is None:
            return owners
        for source in sources:
            known = owners.get(source)
            if known is None or known.since is None:
                since = self.shared.has_served(source, project)
                if since is not None:
                    served = Ownership(served=since)
                    self._add(source, project, served)
                    owners[source] = served.merged(known or Ownership())
        return owners

    def ownership(self, source: str, project: str) -> Ownership | None:
        """Return the ownership of a project by one index, or None."""
        return self.owners(project).get(source)

    def record_page(self, source: str, project: str) -> None:
        """Record that the index served a page of its own for the project."""
        known = self.owners(project).get(source)
        if known is None or known.served is None:
            now = time.time()
            self._add(source, project, Ownership(served=now))
            if self.shared is not None:
                self.shared.served(source, project, now)

    def record_name(self, source: str, project: str) -> None:
        """Record that the index lists the project, its own or a copy."""
        known = self.owners(project).get(source)
        if known is None or known.listed is None:
            self._add(source, project, Ownership(listed=time.time()))

    def record_copy(self, source: str, project: str) -> None:
        """Record that the project of the index is a copy of the public one."""
        known = self.owners(project).get(source)
        if known is None or known.copied is None:
            self._add(source, project, Ownership(copied=time.time()))

    def _add(self, source: str, project: str, ownership: Ownership) -> None:
        held = self._pending.get((source, project)) or Ownership()
        self.changes += 1
        self._pending.add((source, project), held.merged(ownership))

    def _write(self, batch: Mapping[tuple[str, str], Ownership]) -> None:
        with self._database.change() as changes:
            changes.make(ADD_NAME, ((*key, *known) for key, known in batch.items()))

    def record_list(self, source: str, projects: Iterable[str]) -> int:
        """Record the names that an index lists; return how many there are.

        An empty list changes nothing, and names of an earlier list are not removed: only the user
        decides to forget an owner. The list is effective at once; if it cannot be written now,
        `write_list` and `flush` try again.
        """
        names = SortedNames(projects)
        if not names:
            return 0
        now = time.time()
        digest = names.digest()
        if not self._confirm_list(source, digest, now):
            self._hold(source, _List(now, names, digest))
            self.write_list(source)
        if self.shared is not None:
            self.shared.listed(source)
        return len(names)

    def _hold(self, source: str, listed: _List) -> None:
        """Keep a list in memory, joined with an earlier one that is not written yet."""
        with self._recording:
            before = self._lists.get(source)
            if before is not None:
                listed = listed._replace(names=SortedNames(chain(listed.names, before.names)))
            with self._lock:
                self._lists[source] = listed
                self.changes += 1

    def write_list(self, source: str) -> None:
        """Write the list of names of an index that waits to be written, if the disk allows it."""
        listed = self._lists.get(source)
        if listed is None:
            return
        with best_effort(f"store the list of names of {source}"):
            # In the order of the table: in any other, each batch would change most of its pages.
            self._write_all((source, name, listed.fetched, None, None) for name in listed.names)
            with self._database.change() as changes:
                row = (source, listed.fetched, len(listed.names), listed.digest)
                changes.make(PUT_LIST, [row])
            with self._lock:
                if self._lists.get(source) is listed:
                    del self._lists[source]

    def _write_all(self, rows: Iterable[tuple[Value, ...]]) -> None:
        for batch in in_pieces(rows, BATCH):
            with self._database.change() as changes:
                changes.make(ADD_NAME, batch)

    def _confirm_list(self, source: str, digest: str, now: float) -> bool:
        """Update the time of an unchanged list; return whether it is unchanged."""
        with best_effort(f"record when the list of names of {source} was fetched"):
            query = "SELECT names FROM name_list WHERE source = ? AND digest = ?"
            with self._database.change() as changes:
                row = changes.connection.execute(query, (source, digest)).fetchone()
                rows = [(source, now, row[0], digest)] if row is not None else []
                return changes.make(PUT_LIST, rows) > 0
        return False

    def owned(self, source: str) -> list[OwnedName]:
        """Return the names of an index, sorted, without copies."""
        rows = self._database.rows(
            "SELECT project, listed, served, copied FROM name WHERE source = ?"
            " AND coalesce(listed, served) IS NOT NULL ORDER BY project",
            (source,),
        )
        return [OwnedName(*row) for row in rows]

    def merge(self, source: str, names: Iterable[OwnedName], fetched: float | None) -> None:
        """Add the names of an index from another ledger; no name is removed.

        ``fetched`` is when the list of names was fetched there; None if never.
        """
        self.changes += 1
        self._write_all((source, *name) for name in names)
        if fetched is not None:
            with self._database.change() as changes:
                row = changes.connection.execute(
                    "SELECT source, max(?, coalesce((SELECT fetched FROM name_list"
                    " WHERE name_list.source = name.source), 0)), count(*), '' FROM name"
                    " WHERE source = ? AND listed IS NOT NULL GROUP BY source",
                    (fetched, source),
                ).fetchone()
                changes.make(PUT_LIST, [row or (source, fetched, 0, "")])

    def names(self, source: str) -> list[str]:
        """Return the projects that an index owns, sorted."""
        return [name.project for name in self.owned(source)]

    def name_list(self, source: str) -> NameList | None:
        """Return time and length of the list of names, or None if it was never fetched."""
        listed = self._lists.get(source)
        if listed is not None:
            return NameList(listed.fetched, len(listed.names))
        row = self._database.row("SELECT * FROM name_list WHERE source = ?", (source,))
        # Without one that is sound, the list is fetched again.
        return NameList(*row[1:3]) if row and is_list(row) else None

    def forget(self, project: str) -> int:
        """Remove all owners of a project; return their number.

        An index that still lists the project owns it again when its list is next fetched.
        Raises `BucketUnavailableError` if other shims would bring it back.
        """
        self.flush()
        if self.shared is not None:
            self.shared.forget_owners(project, list(self.owners(project)))
        self.changes += 1
        with self._database.change() as changes:
            changes.connection.execute(
                "UPDATE name_list SET digest = '' WHERE source IN"
                " (SELECT source FROM name WHERE project = ?)",
                (project,),
            )
            return changes.make(REMOVE_OWNERS, [(project,)])

    def forget_all(self, source: str) -> int:
        """Remove all names of an index, and its list; return the number of names.

        Raises `BucketUnavailableError` if other shims would bring them back.
        """
        if self.shared is not None:
            self.shared.forget_index(source)
        return self.hand_on(source, None, _EVER)

    def hand_on(self, source: str, project: str | None, until: float) -> int:
        """Remove what was known of an owner at a time: of one name, or of all names of an index.

        Returns the number of names. An index that lists them owns them again, as after `forget`.
        """
        self._pending.flush(now=True)
        self.changes += 1
        listed = self.name_list(source)
        removes_list = project is None and listed is not None and listed.fetched <= until
        if removes_list:
            with self._lock:
                self._lists.pop(source, None)
        with self._database.change() as changes:
            if removes_list:
                changes.make(REMOVE_LIST, [(source,)])
            removed = changes.make(REMOVE_NAMES, [(source, project, until)])
            if removed:  # the next list is read in full
                sql = "UPDATE name_list SET digest = '' WHERE source = ?"
                changes.connection.execute(sql, (source,))
            return removed

    def flush(self) -> None:
        """Try to write the pending records."""
        for source in self._lists.copy():
            self.write_list(source)
        self._pending.flush(now=True)
