"""Restores `safety_records`: from the journal, and from a database that can only be read."""

import heapq
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

from indexfallback.store.journal import Change, Journal
from indexfallback.store.safety_records import (
    ADD_NAME,
    ADD_PIN,
    ORDERED,
    STATEMENTS,
    is_valid,
    snapshot,
)
from indexfallback.store.schema import Layout

log = logging.getLogger("indexfallback.store")

#: Rows read and written at once.
_BATCH = 5000


def restore(connection: sqlite3.Connection, journal: Journal, start: int = 0) -> int:
    """Make the changes of a journal in a new database; return the number of damaged lines.

    They are read from the byte ``start`` on.
    """
    damaged = 0
    changes = journal.read(start)
    while batch := list(islice(changes, _BATCH)):
        connection.execute("BEGIN IMMEDIATE")
        for entry in batch:
            if entry is None or not is_valid(entry):
                damaged += 1
            else:
                connection.execute(STATEMENTS[entry.kind], entry.values)
        connection.execute("COMMIT")
    return damaged


def add(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Make changes in the database alone, in a transaction."""
    for entry in changes:
        connection.execute(STATEMENTS[entry.kind], entry.values)


def unsound(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the table of each record whose form is wrong."""
    for entry in snapshot(connection):
        if not is_valid(entry):
            yield entry.kind


def differences(
    connection: sqlite3.Connection, other: sqlite3.Connection
) -> tuple[list[Change], int]:
    """Return the owners and pins in ``other`` alone, and the number of those it lacks.

    Both are read in the order of their keys, so few of them are in memory.
    """
    alone: list[Change] = []
    lacking = 0
    for kind, query in (
        (ADD_NAME, "SELECT * FROM name ORDER BY project, source"),
        (ADD_PIN, "SELECT * FROM pin ORDER BY project, filename, key"),
    ):
        place = itemgetter(*ORDERED[kind].key)
        merged = heapq.merge(
            ((place(row), 0, row) for row in connection.execute(query)),
            ((place(row), 1, row) for row in other.execute(query)),
            key=itemgetter(0, 1),
        )
        for _, group in groupby(merged, key=itemgetter(0)):
            found = {side: row for _, side, row in group}
            if 1 not in found:
                lacking += 1
            elif found.get(0) != found[1]:
                alone.append(Change(kind, found[1]))
    return alone, lacking


def copy_from(old: sqlite3.Connection, new: sqlite3.Connection, tables: Mapping[str, str]) -> None:
    """Copy the records in ``tables`` of a database to a new one; raises sqlite3.Error."""
    for table, kind in tables.items():
        rows = old.execute(f"SELECT * FROM {table}")  # noqa: S608 - a constant
        while batch := rows.fetchmany(_BATCH):
            new.execute("BEGIN IMMEDIATE")
            for row in batch:
                if is_valid(Change(kind, row)):
                    new.execute(STATEMENTS[kind], row)
            new.execute("COMMIT")


def copy_from_file(path: Path, new: sqlite3.Connection, layout: Layout) -> None:
    """Copy the records of the database file at ``path``, if it exists, as far as it is readable."""
    if not path.exists():
        return
    # SQLite needs to create a file beside a write-ahead log. On a read-only file system, only
    # "immutable" opens the database, without the records that are still in the log.
    for options in ("mode=ro", "immutable=1"):
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True)) as old:
                is_new = old.execute("PRAGMA user_version").fetchone()[0] == 0
                if not is_new:  # not an empty file
                    copy_from(old, new, layout.tables)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # a message quotes damaged text
            problem: Exception = error
            if new.in_transaction:
                new.execute("COMMIT")
        else:
            return
    log.error(
        "%s: %s cannot be read (%s); %s: make %s readable",
        path, layout.what, problem, layout.if_unreadable, path.parent,
    )  # fmt: skip
