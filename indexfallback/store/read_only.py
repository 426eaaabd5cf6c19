"""A cache directory that cannot be written: its files are read in place, its records from a copy.

The records are copied as a whole, since everything that uses them also writes some, such as when an
index was asked.
"""

import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from indexfallback.store.damage import ENDINGS
from indexfallback.store.schema import SCHEMA_VERSION

log = logging.getLogger("indexfallback.store")


def copy_records(source: Path, target: Path) -> bool:
    """Copy a database file of this version to ``target``, a new file; return whether there is one.

    Takes a second for 500 MB.
    """
    if not source.exists() or not source.stat().st_size:  # it could not be written from the start
        return False
    copies: tuple[Callable[[Path, Path], None], ...] = (_copy_database, _copy_files)
    for copy in copies:
        try:
            copy(source, target)
            _check_version(target)
        except (OSError, sqlite3.Error) as error:
            problem: Exception = error
            for path in _files(target):
                path.unlink(missing_ok=True)
        else:
            return True
    log.warning("%s cannot be read (%s); nothing that is stored there is used", source, problem)
    return False


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database that another process may be writing."""
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _copy_files(source: Path, target: Path) -> None:
    """Copy the files of a database that no process can be writing.

    SQLite opens a database with a write-ahead log only if it can create a file beside it.
    """
    for old, new in zip(_files(source), _files(target), strict=True):
        if old.exists():
            shutil.copyfile(old, new)


def _files(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in ENDINGS]


def _check_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"its version is {version}, not {SCHEMA_VERSION}")
