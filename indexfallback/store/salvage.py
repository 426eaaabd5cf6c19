"""Fills a new database from the one that was set aside, and from the stored files.

Owners and pins are in it already (`restoring`). Pages, what goes with them and the records of
mirrors could be fetched again, but not offline, and without the records of a mirror its files would
be evicted. The times when files were first seen cannot be fetched at all.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from indexfallback.names import is_sha256
from indexfallback.store.blobs import Blobs
from indexfallback.store.connections import connect
from indexfallback.store.database import Database
from indexfallback.store.documents import is_document
from indexfallback.store.first_seen import is_first_seen
from indexfallback.store.forms import is_count, is_text
from indexfallback.store.mirrors import is_mirrored_file
from indexfallback.store.page_rows import is_page
from indexfallback.store.provenance import is_provenance

#: Rows in one transaction, about 20 KB each: other writers wait for it, some 10 ms.
_BATCH = 100
#: Wait for another process's transaction, seconds: there is none in a file that was set aside.
_BUSY = 1.0


class _Table(NamedTuple):
    name: str
    columns: str
    #: Tells whether a row of these columns is sound.
    is_sound: Callable[[Sequence[Any]], bool]
    #: Where the row is needed, given its columns.
    where: str = ""


def _is_mirrored_page(row: Sequence[Any]) -> bool:
    source, project, serial, selection = row
    return is_text(source, project, selection) and (serial is None or is_count(serial))


#: In this order: a page is the mirror's only if it is there.
_TABLES = (
    # This table comes first: a page that is asked for earlier would count as its project's first.
    _Table("first_seen", "source, project, body", is_first_seen),
    _Table(
        "page",
        "source, project, body, etag, modified, digest, checked, resolved, passed, seal",
        is_page,
    ),
    _Table(
        "document",
        "source, project, version, body, etag, modified, page, checked, seal",
        is_document,
    ),
    _Table("provenance", "source, project, filename, sha256, body, checked, seal", is_provenance),
    _Table("mirror_file", "source, project, filename, sha256, size, removed", is_mirrored_file),
    _Table(
        "mirror_page",
        "source, project, serial, selection",
        _is_mirrored_page,
        " WHERE EXISTS (SELECT 1 FROM page WHERE source = :source AND project = :project)",
    ),
)


def salvage(path: Path, database: Database, stop: threading.Event) -> int:
    """Copy the sound rows of the file at ``path``, until ``stop``; return the number of pages.

    What was stored since is newer and stays. Raises sqlite3.Error and `StoreError` of ``database``.
    """
    pages = 0
    with closing(connect(path, "ro", _BUSY)) as old:
        old.text_factory = partial(str, encoding="utf-8", errors="replace")
        for table in _TABLES:
            rows = filter(table.is_sound, _readable(old, table))
            while not stop.is_set() and (batch := list(islice(rows, _BATCH))):
                copied = _copy(database, table, batch)
                pages += copied if table.name == "page" else 0
    return pages


def _readable(old: sqlite3.Connection, table: _Table) -> Iterator[Sequence[Any]]:
    """Yield the rows that can be read, from both ends if some between them cannot."""
    for order in ("ASC", "DESC"):
        query = f"SELECT {table.columns} FROM {table.name} ORDER BY 1 {order}, 2 {order}"  # noqa: S608 - ours
        try:
            yield from old.execute(query)
        except (sqlite3.Error, UnicodeDecodeError):  # what is beyond is read from the other end
            continue
        return


def _copy(database: Database, table: _Table, rows: Sequence[Sequence[Any]]) -> int:
    columns = table.columns.split(", ")
    marks = ", ".join(f":{column}" for column in columns)
    insert = f"INSERT OR IGNORE INTO {table.name} ({table.columns}) SELECT {marks}{table.where}"
    with database.write() as connection:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        return connection.executemany(insert, named).rowcount


def record_files(blobs: Blobs, stop: threading.Event) -> int:
    """Record the files that have no record, until ``stop``; return their number.

    They are not hashed now: like every file of an earlier process, each is hashed when it is first
    read. Raises OSError, sqlite3.Error and `StoreError`.
    """
    recorded = 0
    for directory in sorted(blobs.directory.glob("??")):
        if stop.is_set():
            break
        sizes = {p.name: p.stat().st_size for p in directory.iterdir() if is_sha256(p.name)}
        held = blobs.records.held(sizes)
        lost = {sha256: size for sha256, size in sizes.items() if sha256 not in held}
        if lost:
            blobs.records.add(lost)
            recorded += len(lost)
    return recorded
