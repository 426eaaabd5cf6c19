"""The records that safety rests on, taken over from a directory that cannot be written.

Without them a private index's names would belong to nobody until the disk is writable again.
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


def inherit(path: Path, database: Database) -> None:
    """Copy names and pins from the database file at ``path``, if there is one."""
    if not path.exists():
        return
    # A read-only file system has no room for the index of a write-ahead log: only "immutable"
    # opens the file then, without what stands in the log alone.
    for options in ("mode=ro", "immutable=1"):
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True)) as old:
                is_new = old.execute("PRAGMA user_version").fetchone()[0] == 0
                for table in () if is_new else _TABLES:  # it was made, and no more than that
                    _copy(table, old, database)
        except sqlite3.Error as error:
            problem = error
        else:
            return
    log.error(
        "%s: who owns which names cannot be read (%s): until it can, a name that a private index "
        "owns is known again only once that index or its list has named it; make %s readable",
        path, problem, path.parent,
    )  # fmt: skip


def _copy(table: str, old: sqlite3.Connection, database: Database) -> None:
    rows = old.execute(f"SELECT * FROM {table}")  # noqa: S608 - one of ours
    marks = ",".join("?" * len(rows.description))
    insert = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"  # noqa: S608 - one of ours
    while batch := rows.fetchmany(_BATCH):
        with database.write() as connection:
            connection.executemany(insert, batch)
