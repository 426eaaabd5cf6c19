"""Copies the records that safety depends on from a cache directory that cannot be written.

Without them, a public index could answer for the names of a private one until the disk is repaired.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from indexfallback.store.database import Database

log = logging.getLogger("indexfallback.store")

_TABLES = ("name", "name_list", "pin")
#: Rows read and written at once.
_BATCH = 5000


def copy_safety_records(path: Path, database: Database) -> None:
    """Copy the owners of names, and the pins, from the database file at ``path``, if it exists."""
    if not path.exists():
        return
    # SQLite needs to create a file beside a write-ahead log. On a read-only file system, only
    # "immutable" opens the database, without the records that are still in the log.
    for options in ("mode=ro", "immutable=1"):
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True)) as old:
                is_new = old.execute("PRAGMA user_version").fetchone()[0] == 0
                for table in () if is_new else _TABLES:  # an empty file
                    _copy(table, old, database)
        except sqlite3.Error as error:
            problem = error
        else:
            return
    log.error(
        "%s: the owners of names cannot be read (%s); a name of a private index is protected again "
        "only when that index has answered for it or listed it: make %s readable",
        path, problem, path.parent,
    )  # fmt: skip


def _copy(table: str, old: sqlite3.Connection, database: Database) -> None:
    rows = old.execute(f"SELECT * FROM {table}")  # noqa: S608 - a constant
    marks = ",".join("?" * len(rows.description))
    insert = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"  # noqa: S608 - a constant
    while batch := rows.fetchmany(_BATCH):
        with database.write() as connection:
            connection.executemany(insert, batch)
