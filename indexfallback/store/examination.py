"""The examination of the records: finds damage in the database and the journal, and mends it.

Each `Problem` says what is wrong, and has the function that mends it.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

from indexfallback.store import Store
from indexfallback.store.journal import Change
from indexfallback.store.restoring import add, differences, restore, unsound
from indexfallback.store.safety_records import snapshot
from indexfallback.store.schema import CACHE
from indexfallback.words import counted

#: Longest wait for records to be restored, seconds: that takes about 1 s for 5,000 pages.
_REBUILD_SECONDS = 600.0


class Problem(NamedTuple):
    """A damage of the records."""

    #: What is wrong, and what mending does.
    text: str
    #: May raise OSError, sqlite3.Error and `StoreError`.
    mend: Callable[[], object]


def problems(store: Store, *, thorough: bool = True) -> Iterator[Problem]:
    """Yield the damages of the records; each must be mended before the next is looked for.

    Only with ``thorough`` the contents of pages and of what goes with them are read, and the
    journal compared with the database. Raises OSError, sqlite3.Error and `StoreError`.
    """
    for reason in store.database.set_aside.values():
        # That is done already.
        yield Problem(f"the database was damaged ({reason}): it is made again", lambda: None)
    damage = _integrity(store, thorough=thorough)
    if damage is None:
        with store.database.read() as connection:
            damage = next(
                (f"a record of {kind} is not valid" for kind in unsound(connection)), None
            )
    if damage is not None:
        text = f"the database is damaged ({damage}): it is set aside, and made again"
        yield Problem(text, partial(store.database.make_again, damage))
    store.wait_until_rebuilt(_REBUILD_SECONDS)
    yield from _pages(store, thorough=thorough)
    yield from _others(store)
    if thorough:
        yield from _journal(store)


def _pages(store: Store, *, thorough: bool) -> Iterator[Problem]:
    """Examine pages, and what goes with them."""
    for source, project in store.pages.damaged(bodies=thorough):
        text = f"the page of {project} from {source} is damaged: it is removed, and fetched again"
        yield Problem(text, partial(store.pages.remove, project, source))
    for key in store.documents.damaged() if thorough else ():
        text = f"the JSON of {key.project} from {key.source} is damaged: it is removed"
        yield Problem(text, partial(store.documents.remove, key))
    for its in store.provenance.damaged() if thorough else ():
        text = f"the provenance of {its.filename} from {its.source} is damaged: it is removed"
        yield Problem(text, partial(store.provenance.remove, its))


class _Records(Protocol):
    """Records that are checked one by one."""

    def damaged(self) -> Collection[Any]:
        """Return the keys of the damaged ones."""
        ...

    def drop(self, keys: Iterable[Any], /) -> None:
        """Remove records."""
        ...


def _others(store: Store) -> Iterator[Problem]:
    """Examine the records that are checked one by one and made again by use."""
    parts: tuple[tuple[str, _Records], ...] = (
        ("stored files", store.blobs.records),
        ("mirrored files", store.mirrors),
        ("the addresses of files", store.pages.origins),
        ("local files", store.local_files),
        ("the health of indexes", store.health_records),
    )
    for what, part in parts:
        damaged = part.damaged()
        if damaged:
            text = f"{counted(len(damaged), 'record')} of {what} damaged: removed, and made again"
            yield Problem(text, partial(part.drop, damaged))


def _integrity(store: Store, *, thorough: bool) -> str | None:
    """Return the first damage that SQLite finds, with ``thorough`` also between table and index."""
    check = "integrity_check" if thorough else "quick_check"
    with store.database.read() as connection:
        try:
            (found,) = connection.execute(f"PRAGMA {check}(1)").fetchone()
        except sqlite3.OperationalError:  # locked, or no access: not a damage
            raise
        except sqlite3.DatabaseError as error:
            return str(error)
    return None if found == "ok" else str(found)


def _journal(store: Store) -> Iterator[Problem]:
    """Compare the journal with the database.

    Another process may write meanwhile, so differences are confirmed in a transaction.
    """
    if not any(_compared(store)):
        return
    with store.database.write():
        damaged, lost, unwritten = _compared(store)
    if lost:
        yield Problem(
            f"{counted(len(lost), 'record')} of owners and pins only in the journal: restored",
            partial(_restore, store, lost),
        )
    if damaged or unwritten:
        yield Problem(
            f"the journal of owners and pins has {counted(damaged, 'damaged line')} and lacks "
            f"{counted(unwritten, 'record')}: it is written anew",
            partial(_rewrite, store),
        )


def _compared(store: Store) -> tuple[int, list[Change], int]:
    """Return the damaged lines, the records in the journal only, and the number that it lacks."""
    journal = store.database.journal
    with (
        TemporaryDirectory(prefix="indexfallback-") as name,
        closing(sqlite3.connect(Path(name) / "journal", isolation_level=None)) as other,
    ):
        other.executescript(f"PRAGMA synchronous = OFF; {CACHE.schema}")
        damaged = restore(other, journal)
        with store.database.read() as connection:
            lost, unwritten = differences(connection, other)
    return damaged, lost, unwritten


def _restore(store: Store, lost: list[Change]) -> None:
    with store.database.write() as connection:
        add(connection, lost)


def _rewrite(store: Store) -> None:
    journal = store.database.journal
    with store.database.write() as connection:
        journal.replace(snapshot(connection))
