"""What is mirrored: of each index the projects, with all of their files, and how far that is.

The page of a mirrored project is among the other pages, and its files are pinned and stored as
others are; the records here keep both from being replaced and evicted.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from indexfallback.names import is_claimed
from indexfallback.page import ProjectPage
from indexfallback.store.database import Database
from indexfallback.store.pages import PUT_PAGE, PageFacts, page_row

_FILES = "SELECT project, filename, sha256, size, removed FROM mirror_file WHERE source = ?"


class MirroredFile(NamedTuple):
    """A file that is kept."""

    project: str
    filename: str
    sha256: str
    size: int
    #: When it was found that the index has removed it, seconds since the epoch; None: it has not.
    removed: float | None = None


class MirroredProject(NamedTuple):
    """A project as it is now to be kept."""

    page: ProjectPage
    facts: PageFacts
    #: The index's counter of changes up to which it is kept, where it states one.
    serial: int | None
    #: Names the selection of which it has all files; empty: some are missing.
    selection: str
    files: Sequence[MirroredFile]


class State(NamedTuple):
    """How far a project is mirrored."""

    serial: int | None
    selection: str


class Run(NamedTuple):
    """The last run that came to its end. Times are seconds since the epoch."""

    #: The index's counter of changes when it began.
    serial: int | None
    began: float
    ended: float
    #: Projects that could not be had, or not as a whole.
    failed: int


class Totals(NamedTuple):
    """How much is mirrored of one index."""

    projects: int
    #: Of these, those that lack something.
    incomplete: int
    files: int
    #: Of these, those that the index has removed.
    removed: int
    bytes: int


class Mirrors:
    """The mirrored projects of all indexes, each under the index's address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self, source: str) -> Iterator[tuple[str, State]]:
        """Yield the mirrored projects, and what is known of each; all of it is read at once."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT project, serial, selection FROM mirror_page WHERE source = ?"
                " ORDER BY project",
                (source,),
            )
            for project, *state in rows:
                yield project, State(*state)

    def state(self, source: str, project: str) -> State | None:
        """Return what is known of a project, or None if it is not mirrored."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT serial, selection FROM mirror_page WHERE source = ? AND project = ?",
                (source, project),
            ).fetchone()
        return State(*row) if row else None

    def files(self, source: str, project: str | None = None) -> Iterator[MirroredFile]:
        """Return the files that are kept, of a project or of all."""
        query, values = f"{_FILES} ORDER BY project, filename", [source]
        if project is not None:  # a query of its own: only so does SQLite use its index for it
            query, values = f"{_FILES} AND project = ? ORDER BY filename", [source, project]
        with self._database.read() as connection:
            rows = connection.execute(query, values).fetchall()
        return (MirroredFile(*row) for row in rows)

    def put(self, source: str, files: Iterable[MirroredFile]) -> None:
        """Record files that are stored now, whatever page will list them: all or none."""
        now = time.time()
        kept = list(files)
        with self._database.write() as connection:
            connection.executemany(
                "INSERT INTO blob VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                ((file.sha256, file.size, now, now) for file in kept),
            )
            _put_files(connection, source, kept, now)

    def put_projects(self, source: str, projects: Iterable[MirroredProject]) -> None:
        """Record projects whose files are recorded, each as it is now to be served."""
        now = time.time()
        with self._database.write() as connection:
            for project in projects:
                name = project.page.name
                connection.execute(PUT_PAGE, page_row(source, project.page, project.facts))
                connection.execute(
                    "INSERT OR REPLACE INTO mirror_page VALUES (?, ?, ?, ?)",
                    (source, name, project.serial, project.selection),
                )
                connection.execute(
                    "DELETE FROM mirror_file WHERE source = ? AND project = ?", (source, name)
                )
                _put_files(connection, source, project.files, now)

    def confirm(self, source: str, project: str, serial: int | None, checked: float) -> None:
        """Record that a project's page is as it was."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE mirror_page SET serial = ? WHERE source = ? AND project = ?",
                (serial, source, project),
            )
            connection.execute(
                "UPDATE page SET checked = ? WHERE source = ? AND project = ?",
                (checked, source, project),
            )

    def doubt(self, source: str, projects: Iterable[str]) -> None:
        """Have projects looked at again: something of them is missing."""
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE mirror_page SET serial = NULL, selection = ''"
                " WHERE source = ? AND project = ?",
                ((source, project) for project in projects),
            )

    def remove(self, source: str, projects: Iterable[str]) -> None:
        """Mirror projects no more, and forget their pages."""
        with self._database.write() as connection:
            for project in projects:
                for table in ("mirror_file", "mirror_page", "page"):
                    connection.execute(
                        f"DELETE FROM {table} WHERE source = ? AND project = ?",  # noqa: S608 - ours
                        (source, project),
                    )

    def forget(self, project: str) -> None:
        """Mirror a project of no index any more, until the next run."""
        with self._database.write() as connection:
            for table in ("mirror_file", "mirror_page"):
                connection.execute(f"DELETE FROM {table} WHERE project = ?", (project,))  # noqa: S608 - ours

    def needed(self, sha256s: Iterable[str]) -> set[str]:
        """Return those of ``sha256s`` that some mirrored project needs."""
        query = "SELECT 1 FROM mirror_file WHERE sha256 = ? LIMIT 1"
        with self._database.read() as connection:
            return {s for s in sha256s if connection.execute(query, (s,)).fetchone() is not None}

    def names(self, source: str) -> list[str]:
        """Return the mirrored projects of an index, sorted."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT project FROM mirror_page WHERE source = ? ORDER BY project", (source,)
            )
            return [project for (project,) in rows]

    def matching(self, source: str, patterns: Sequence[str]) -> list[str]:
        """Return the mirrored projects that one of ``patterns`` matches."""
        return [name for name in self.names(source) if is_claimed(name, patterns)]

    def totals(self, source: str) -> Totals:
        """Return how much is mirrored of an index."""
        with self._database.read() as connection:
            projects = connection.execute(
                "SELECT count(*), coalesce(sum(selection = ''), 0) FROM mirror_page"
                " WHERE source = ?",
                (source,),
            ).fetchone()
            files = connection.execute(
                "SELECT count(*), count(removed), coalesce(sum(size), 0) FROM mirror_file"
                " WHERE source = ?",
                (source,),
            ).fetchone()
        return Totals(*projects, *files)

    def kept(self) -> tuple[int, int]:
        """Return number and bytes of the stored files that are mirrored, each counted once."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT count(*), coalesce(sum(size), 0) FROM blob WHERE EXISTS"
                " (SELECT 1 FROM mirror_file WHERE mirror_file.sha256 = blob.sha256)"
            ).fetchone()
        return int(row[0]), int(row[1])

    def last_run(self, source: str) -> Run | None:
        """Return the last run that came to its end, or None."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT serial, began, ended, failed FROM mirror_run WHERE source = ?", (source,)
            ).fetchone()
        return Run(*row) if row else None

    def put_run(self, source: str, run: Run) -> None:
        """Record a run that has come to its end."""
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO mirror_run VALUES (?, ?, ?, ?, ?)",
                               (source, *run))  # fmt: skip


def _put_files(
    connection: sqlite3.Connection, source: str, files: Sequence[MirroredFile], now: float
) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO mirror_file VALUES (?, ?, ?, ?, ?, ?)",
        ((source, *file) for file in files),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO pin VALUES (?, ?, ?, ?, ?)",
        ((file.project, file.filename, file.sha256, now, source) for file in files),
    )
