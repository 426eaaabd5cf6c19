"""The file of the search index: a database of its own, whose content can be made again.

A damaged file is removed. It is no part of the cache's database: its writers never wait for this
one, and a build of SQLite without FTS5 finds its own file, with a plain table that is searched by
LIKE. Source: SQLite's documentation, "SQLite FTS5 Extension".
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from indexfallback.store.best_effort import best_effort
from indexfallback.store.connections import connect
from indexfallback.store.damage import is_damage
from indexfallback.store.statements import transaction

#: Incremented with each change of the tables; a file of another layout is made again.
_LAYOUT = 1
#: Longest wait for another process's transaction, seconds.
_BUSY = 2.0
#: Of the file and its journal, which is no write-ahead log: that lives as long as a connection.
_ENDINGS = ("", "-journal")
#: Of the text that is searched.
COLUMNS = "name, summary, keywords, classifiers"

_TABLES = """
CREATE TABLE project (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, project TEXT NOT NULL, version TEXT NOT NULL,
    stamp TEXT NOT NULL, UNIQUE (source, project)
);
CREATE INDEX project_name ON project (project);
CREATE TABLE due (
    source TEXT NOT NULL, project TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (source, project)
) WITHOUT ROWID;
CREATE TABLE filled (rules TEXT NOT NULL);
CREATE TABLE accepted (
    project TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (project, version)
) WITHOUT ROWID;
"""
#: With an index of the beginnings of words, which without it take ten times as long to find.
_TEXT_FTS = (
    f"CREATE VIRTUAL TABLE text USING fts5({COLUMNS}, tokenize = 'unicode61', prefix = '2 3')"
)
_TEXT_PLAIN = f"CREATE TABLE text ({COLUMNS})"


class SearchFile:
    """The database file of one cache's search index."""

    def __init__(self, directory: Path, *, is_fts: bool) -> None:
        """Use the file in ``directory``, made when it is first used."""
        #: Whether it is searched by FTS5.
        self.is_fts = is_fts
        self._path = directory / ("search.sqlite3" if is_fts else "search-plain.sqlite3")

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Give a connection; raises sqlite3.Error."""
        try:
            with closing(connect(self._path, "rwc", _BUSY)) as connection:
                (layout,) = connection.execute("PRAGMA user_version").fetchone()
                if layout == 0:
                    self._make(connection)
                elif layout != _LAYOUT:
                    raise sqlite3.DatabaseError("it was written by another version")
                yield connection
        except sqlite3.Error as error:
            if is_damage(error):
                self._discard()
            raise

    def _make(self, connection: sqlite3.Connection) -> None:
        with transaction(connection):
            if connection.execute("PRAGMA user_version").fetchone() == (_LAYOUT,):
                return  # another thread or process was first
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(_TEXT_FTS if self.is_fts else _TEXT_PLAIN)
            connection.execute(f"PRAGMA user_version = {_LAYOUT}")

    def _discard(self) -> None:
        """Remove the file, which is damaged; it is made and filled again."""
        with best_effort("remove the damaged search index"):
            for ending in _ENDINGS:
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)


@cache
def has_fts5() -> bool:
    """Tell whether SQLite was built with FTS5, as that of every distributor is."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE text USING fts5(x)")
        except sqlite3.OperationalError:  # no such module
            return False
    return True
