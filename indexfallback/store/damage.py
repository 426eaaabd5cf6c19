"""What happens when the database is damaged or gone.

- A statement fails, at the start or later, with an error that `is_damage` recognises, or two
  indexes of the same records disagree (`DisagreementError`): `Database` sets the file aside
  (`set_aside`), with its log, and makes a new one. Owners and pins come back from the journal
  (`restoring.restore`), stored files, pages and the records of mirrors follow
  (`salvage`).
- A value is damaged and the file is not: the reader of a row checks its form (`forms`), drops a
  damaged row, and goes on as if it had never been stored.
- The file, or its directory, was removed: `Database` makes it again, with the owners and pins that
  its open connections still read.

Several processes use one file. A lock lets one of them replace it; the others notice that the name
leads to another file, and open that one.
"""

import logging
import sqlite3
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

log = logging.getLogger("indexfallback.store")

#: Endings of the files of a database in WAL mode.
ENDINGS = ("", "-wal", "-shm")
#: Damaged databases kept for an examination; each may be as large as the cache's records.
_KEPT = 2

#: Bytes of the header that never change in our files: the magic string, page size 4096, WAL (2, 2),
#: no reserved bytes, and SQLite's fixed payload fractions (SQLite's "Database File Format", 1.3).
_HEADER = b"SQLite format 3\x00" + bytes((16, 0, 2, 2, 0, 64, 32, 32))
#: Beginnings of the messages for a damaged schema, since our own statements are right, and for
#: text that is not UTF-8.
_MESSAGES = ("no such table", "no such column", "no such index", "malformed", "Could not decode")


class NewerSchemaError(Exception):
    """A newer version has written the database."""


class DisagreementError(sqlite3.DatabaseError):
    """Two indexes of the same records disagree: one of them is damaged."""


def is_damage(error: BaseException) -> bool:
    """Tell whether an exception shows that the database file is damaged.

    A full disk, a missing permission and a locked file are other subclasses of DatabaseError.
    """
    if isinstance(error, UnicodeDecodeError):  # SQLite quotes damaged text in its message
        return True
    if isinstance(error, DisagreementError) or type(error) is sqlite3.DatabaseError:
        return True
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith(_MESSAGES)


def problem_of(path: Path, version: int, schema: str) -> str | None:
    """Return why a database file cannot be used, or None if it can or does not exist.

    Raises `NewerSchemaError`, OSError, and sqlite3.OperationalError if the file cannot be read. It
    reads no record, so it takes the same time for every size.
    """
    if not path.exists():
        return None
    try:
        found, objects = _described(path)
    except sqlite3.OperationalError as error:
        if is_damage(error):
            return str(error)
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return str(error)
    if found > version and objects != _expected(schema):
        raise NewerSchemaError
    if found != version:
        return f"its schema version is {found}"
    with path.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            return "its header is damaged"
    return None if objects == _expected(schema) else "its schema is damaged"


def _described(path: Path) -> tuple[int, frozenset[tuple[object, ...]]]:
    # By SQLite, since the version may be only in the write-ahead log; read-only, since a newer
    # version's file must not be changed.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        return version, _objects(connection)
    finally:
        connection.close()


def _objects(connection: sqlite3.Connection) -> frozenset[tuple[object, ...]]:
    rows = connection.execute("SELECT type, name, tbl_name, CAST(sql AS BLOB) FROM sqlite_master")
    # SQLite's own tables, such as that of ANALYZE, are no part of the schema.
    return frozenset(row for row in rows if not str(row[1]).startswith("sqlite_stat"))


@cache
def _expected(schema: str) -> frozenset[tuple[object, ...]]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(schema)
        return _objects(connection)
    finally:
        connection.close()


def set_aside(path: Path) -> Path:
    """Rename a damaged database and its log; return the new path. Raises OSError."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns() // 1_000_000}")
    for ending in ENDINGS:
        part = path.with_name(path.name + ending)
        if part.exists():
            part.replace(aside.with_name(aside.name + ending))
    _remove_all(sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]"))[:-_KEPT])
    return aside


def _remove_all(paths: Iterable[Path]) -> None:
    for path in paths:
        for ending in ENDINGS:
            path.with_name(path.name + ending).unlink(missing_ok=True)
