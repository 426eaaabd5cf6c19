"""The search index: what the metadata of projects says, and which projects are to be read anew.

Locks: ``_lock`` guards ``_noted``; there is no I/O under it. Each method has a connection of its
own.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from indexfallback.store.best_effort import best_effort
from indexfallback.store.known_names import IN_SCOPE, in_scope
from indexfallback.store.search_file import COLUMNS, SearchFile, has_fts5
from indexfallback.store.statements import transaction

#: Notes in memory: an install has some hundred.
_MOST_NOTES = 1000
#: Projects in one query, below 999, the limit of SQLite's oldest versions.
_BATCH = 900

#: Of several times the first one holds.
_MARK = """
INSERT INTO due VALUES (?, ?, ?)
ON CONFLICT (source, project) DO UPDATE SET at = min(at, excluded.at)
"""
_MARK_DESCRIBED = """
INSERT INTO due SELECT source, project, 0.0 FROM project WHERE {which}
ON CONFLICT (source, project) DO UPDATE SET at = 0.0
"""
_SELECT = "SELECT source, project, version, summary FROM text JOIN project ON id = text.rowid"
#: A word in the name counts more than one in the summary, and so on, in the order of the columns.
_WEIGHTS = (10, 4, 2, 1)
_RANK_FTS = f"bm25(text, {', '.join(map(str, _WEIGHTS))})"
#: Classifiers are kept one a line, without the spaces around them.
_CLASSIFIER = "instr(char(10) || lower(classifiers), char(10) || lower(?))"


#: Takes the address of an index and a project whose metadata has come.
Note = Callable[[str, str], None]


class Described(NamedTuple):
    """What the metadata of a project's newest known version says."""

    #: Address of its index, without credentials.
    source: str
    #: Normalised.
    project: str
    version: str
    #: As it is spelt.
    name: str
    summary: str
    keywords: str
    classifiers: Sequence[str]
    #: Tells the file apart that it was read from; empty if that does not matter.
    stamp: str = ""
    #: When it is to be described anew, seconds since the epoch; None if nothing tells so.
    until: float | None = None


class Match(NamedTuple):
    """A project that was found by its metadata."""

    source: str
    project: str
    version: str
    summary: str


class SearchIndex:
    """The search index of one cache. Methods raise sqlite3.Error, except `note`."""

    def __init__(self, directory: Path, *, fts: bool | None = None) -> None:
        """Use the file in ``directory``, made when it is first used; ``fts``: whether by FTS5."""
        self._file = SearchFile(directory, is_fts=has_fts5() if fts is None else fts)
        self._lock = threading.Lock()
        self._noted: set[tuple[str, str]] = set()
        #: Called after each note.
        self.on_note: Callable[[], object] = lambda: None

    def note(self, source: str, project: str) -> None:
        """Note that metadata of a project has come, so that it is described anew later."""
        with self._lock:
            self._noted.add((source, project))
            is_full = len(self._noted) >= _MOST_NOTES
        if is_full:
            self.write_notes()
        self.on_note()

    def write_notes(self) -> None:
        """Write the notes, so that another process can follow them; a failure is logged."""
        with self._lock:
            noted, self._noted = self._noted, set()
        if noted:
            with best_effort("note which projects are to be described"):
                self.mark(noted)

    def mark(self, projects: Iterable[tuple[str, str]]) -> None:
        """Mark projects, each an address of an index and a name, as to be described."""
        with self._file.opened() as connection, transaction(connection):
            connection.executemany(_MARK, ((*project, 0.0) for project in projects))

    def due(self, most: int) -> list[tuple[str, str]]:
        """Return some of the marked projects whose time has come."""
        query = "SELECT source, project FROM due WHERE at <= ? LIMIT ?"
        with self._file.opened() as connection:
            return connection.execute(query, (time.time(), most)).fetchall()

    def postpone(self, projects: Iterable[tuple[str, str]], until: float) -> None:
        """Let marked projects be due again at a time, seconds since the epoch."""
        with self._file.opened() as connection, transaction(connection):
            query = "UPDATE due SET at = ? WHERE source = ? AND project = ?"
            connection.executemany(query, ((until, *project) for project in projects))

    def is_filled(self, rules: str) -> bool:
        """Tell whether all that was in the cache when this file was made has been marked.

        That is so for the ``rules`` of what is described alone.
        """
        with self._file.opened() as connection:
            return bool(connection.execute("SELECT rules FROM filled").fetchone() == (rules,))

    def set_filled(self, rules: str) -> None:
        """Record that `is_filled`, and mark what is described by other rules."""
        with self._file.opened() as connection, transaction(connection):
            connection.execute(_MARK_DESCRIBED.format(which="true"))
            connection.execute("DELETE FROM filled")
            connection.execute("INSERT INTO filled VALUES (?)", (rules,))

    def set_accepted(self, releases: Iterable[tuple[str, str]]) -> None:
        """Mark the projects of which another release is accepted than at the last call.

        ``releases`` are all that are, each a project and a version.
        """
        accepted = set(releases)
        with self._file.opened() as connection:
            known = set(connection.execute("SELECT project, version FROM accepted").fetchall())
            if accepted == known:
                return
            changed = {project for project, _ in accepted ^ known}
            with transaction(connection):
                mark = _MARK_DESCRIBED.format(which="project = ?")
                connection.executemany(mark, ((project,) for project in changed))
                connection.execute("DELETE FROM accepted")
                connection.executemany("INSERT INTO accepted VALUES (?, ?)", accepted)

    def put(self, described: Iterable[Described], gone: Iterable[tuple[str, str]] = ()) -> None:
        """Store descriptions, remove those of ``gone`` projects, and unmark both."""
        with self._file.opened() as connection, transaction(connection):
            for each in described:
                _remove(connection, each.source, each.project)
                added = connection.execute(
                    "INSERT INTO project (source, project, version, stamp) VALUES (?, ?, ?, ?)",
                    (each.source, each.project, each.version, each.stamp),
                )
                connection.execute(
                    f"INSERT INTO text (rowid, {COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - ours
                    (added.lastrowid, each.name, each.summary, each.keywords,
                     "\n".join(each.classifiers)),
                )  # fmt: skip
                if each.until is not None:
                    connection.execute(_MARK, (each.source, each.project, each.until))
            for source, project in gone:
                _remove(connection, source, project)

    def remove(self, project: str) -> None:
        """Remove what is stored of a project, of all indexes."""
        with self._file.opened() as connection, transaction(connection):
            rows = connection.execute("SELECT source FROM project WHERE project = ?", (project,))
            for (source,) in rows.fetchall():
                _remove(connection, source, project)

    def stamps(self, source: str) -> dict[str, str]:
        """Return the stamps of an index's projects, by project."""
        with self._file.opened() as connection:
            query = "SELECT project, stamp FROM project WHERE source = ?"
            return dict(connection.execute(query, (source,)).fetchall())

    def find(
        self,
        words: Sequence[str],
        classifier: str,
        most: int,
        *,
        sources: Iterable[str],
        scope: Sequence[str] = (),
        besides: str = "",
    ) -> list[Match]:
        """Return the projects of some indexes that have all words, the best first.

        Each word is of letters and digits; the last one may be the beginning of a word if it has
        two letters. With a ``classifier``, those that have one that begins with it. Without words
        they are sorted by name.

        ``sources`` are the addresses of the indexes. ``scope`` is as of `in_scope`. With
        ``besides``, names that contain it are left out.
        """
        conditions, values, ranks, rank_values = self._conditions(words)
        conditions.append("source IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(sources)))
        if classifier:
            conditions.append(_CLASSIFIER)
            values.append(classifier)
        if besides:
            conditions.append("NOT instr(project, ?)")
            values.append(besides)
        if scope:
            conditions.append(IN_SCOPE)
            values.append(in_scope(scope))
        where = " AND ".join(conditions) or "1"
        query = f"{_SELECT} WHERE {where} ORDER BY {ranks}, project LIMIT ?"
        with self._file.opened() as connection:
            rows = connection.execute(query, (*values, *rank_values, most))
            return [Match(*row) for row in rows]

    def _conditions(self, words: Sequence[str]) -> tuple[list[str], list[str], str, list[str]]:
        """Return the conditions and the order of rows in SQL, each with its values."""
        if not words:
            return [], [], "1", []
        if self._file.is_fts:
            # In quotes, a word is nothing but text to FTS5.
            phrases = " ".join(f'"{word}"' for word in words)
            # One letter begins too many words.
            end = " *" if len(words[-1]) > 1 else ""
            return ["text MATCH ?"], [f"{phrases}{end}"], _RANK_FTS, []
        columns = COLUMNS.split(", ")
        condition = " OR ".join(f"{column} LIKE ?" for column in columns)
        weights = zip(_WEIGHTS, columns, strict=True)
        rank = " + ".join(f"{weight} * ({column} LIKE ?)" for weight, column in weights)
        values = [f"%{word}%" for word in words for _ in columns]
        ranks = " + ".join(f"{rank}" for _ in words)
        return [f"({condition})" for _ in words], values, f"-({ranks})", list(values)

    def of_projects(self, projects: Collection[str]) -> list[Match]:
        """Return what is stored of projects."""
        wanted, found = list(projects), []
        with self._file.opened() as connection:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                marks = ",".join("?" * len(batch))
                rows = connection.execute(f"{_SELECT} WHERE project IN ({marks})", batch)
                found += [Match(*row) for row in rows]
        return found


def _remove(connection: sqlite3.Connection, source: str, project: str) -> None:
    key = (source, project)
    rows = connection.execute("SELECT id FROM project WHERE source = ? AND project = ?", key)
    for row in rows.fetchall():
        connection.execute("DELETE FROM text WHERE rowid = ?", row)
        connection.execute("DELETE FROM project WHERE id = ?", row)
    connection.execute("DELETE FROM due WHERE source = ? AND project = ?", key)
