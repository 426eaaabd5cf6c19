"""Records of mirrors: the mirrored projects of each index, their files, and the last run.

Pages and files of mirrored projects are stored like others; these records protect them from being
replaced and evicted.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from indexfallback.names import is_sha256
from indexfallback.page import ProjectPage
from indexfallback.store.database import Database
from indexfallback.store.forms import is_count, is_text, is_time
from indexfallback.store.page_rows import PUT_PAGE, PageFacts, page_row
from indexfallback.store.safety_records import ADD_PIN, Changes
from indexfallback.store.search_index import Note
from indexfallback.store.statements import Ordered

_FILES = "SELECT project, filename, sha256, size, removed FROM mirror_file WHERE source = ?"
_ALL_FILES = Ordered(
    "SELECT source, project, filename, sha256, size, removed FROM mirror_file"
    " WHERE (source, project, filename) > (?, ?, ?) ORDER BY source, project, filename LIMIT ?",
    (0, 1, 2),
)


class MirroredFile(NamedTuple):
    """A mirrored file."""

    project: str
    filename: str
    sha256: str
    size: int
    #: When the removal from the index was noticed, seconds since the epoch; None if it was not.
    removed: float | None = None


class MirroredProject(NamedTuple):
    """A project to be stored."""

    page: ProjectPage
    facts: PageFacts
    #: The serial of the project at the index; None if not stated.
    serial: int | None
    #: Digest of the selection, all of whose files are stored; empty if some are missing.
    selection: str
    files: Sequence[MirroredFile]


class State(NamedTuple):
    """The state of a mirrored project; fields as in `MirroredProject`."""

    serial: int | None
    selection: str


class Run(NamedTuple):
    """A completed run. Times are seconds since the epoch."""

    #: The serial of the index at the beginning.
    serial: int | None
    began: float
    ended: float
    #: Projects that were not mirrored completely.
    failed: int


class Totals(NamedTuple):
    """The size of the mirror of one index."""

    projects: int
    #: Of these, those with missing files.
    incomplete: int
    files: int
    #: Of these, those that the index has removed.
    removed: int
    bytes: int


class Mirrors:
    """The mirrored projects of all indexes, under the address of the index."""

    def __init__(self, database: Database, note: Note) -> None:
        """``note`` is told which projects were mirrored."""
        self._database = database
        self._note = note

    def states(self, source: str) -> Iterator[tuple[str, int | None, str]]:
        """Yield the mirrored projects with the values of their `State`, sorted.

        As a plain tuple, since there may be 800,000. A connection is in use until the end.
        """
        with self._database.read() as connection:
            yield from connection.execute(
                "SELECT project, serial, selection FROM mirror_page WHERE source = ?"
                " ORDER BY project",
                (source,),
            )

    def states_of(
        self, source: str, projects: Iterable[str]
    ) -> Iterator[tuple[str, int | None, str]]:
        """Yield the same for those of ``projects`` that are mirrored."""
        query = "SELECT serial, selection FROM mirror_page WHERE source = ? AND project = ?"
        with self._database.read() as connection:
            for project in projects:
                for serial, selection in connection.execute(query, (source, project)):
                    yield project, serial, selection

    def state(self, source: str, project: str) -> State | None:
        """Return the state of a project, or None if it is not mirrored."""
        row = self._database.row(
            "SELECT serial, selection FROM mirror_page WHERE source = ? AND project = ?",
            (source, project),
        )
        return State(*row) if row else None

    def files(self, source: str, project: str | None = None) -> Iterator[MirroredFile]:
        """Return the mirrored files, of one project or of all."""
        query, values = f"{_FILES} ORDER BY project, filename", [source]
        if project is not None:  # a separate query, for which SQLite uses its index
            query, values = f"{_FILES} AND project = ? ORDER BY filename", [source, project]
        # A damaged record is none: the next run fetches the file again.
        rows = self._database.rows(query, values)
        return (MirroredFile(*row) for row in rows if is_mirrored_file((source, *row)))

    def damaged(self) -> set[tuple[Any, Any]]:
        """Return source and project of the damaged records of files, and of pages that are gone."""
        gone = self._database.rows(
            "SELECT source, project FROM mirror_page WHERE NOT EXISTS (SELECT 1 FROM page"
            " WHERE page.source = mirror_page.source AND page.project = mirror_page.project)"
        )
        rows = chain.from_iterable(self._database.pieces(_ALL_FILES))
        return {*gone, *(row[:2] for row in rows if not is_mirrored_file(row))}

    def drop(self, projects: Iterable[tuple[Any, Any]]) -> None:
        """Remove the records of projects; the next run checks them again."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM mirror_list")  # a damaged name cannot be recorded
            for table in ("mirror_file", "mirror_page"):
                connection.executemany(
                    f"DELETE FROM {table} WHERE source = ? AND project = ?",  # noqa: S608 - ours
                    projects,
                )

    def put(self, source: str, files: Iterable[MirroredFile]) -> None:
        """Record stored files in one transaction, before their pages."""
        now = time.time()
        kept = list(files)
        with self._database.change() as changes:
            changes.connection.executemany(
                "INSERT INTO blob VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                ((file.sha256, file.size, now, now) for file in kept),
            )
            _put_files(changes, source, kept, now)

    def put_projects(self, source: str, projects: Iterable[MirroredProject]) -> None:
        """Record projects and their pages; the files must be recorded before."""
        now, names = time.time(), list[str]()
        with self._database.change() as changes:
            connection = changes.connection
            for project in projects:
                name = project.page.name
                names.append(name)
                connection.execute(PUT_PAGE, page_row(source, project.page, project.facts))
                connection.execute(
                    "INSERT OR REPLACE INTO mirror_page VALUES (?, ?, ?, ?)",
                    (source, name, project.serial, project.selection),
                )
                connection.execute(
                    "DELETE FROM mirror_file WHERE source = ? AND project = ?", (source, name)
                )
                _put_files(changes, source, project.files, now)
        for name in names:
            self._note(source, name)

    def confirm(self, source: str, project: str, serial: int | None, checked: float) -> None:
        """Record that the page of a project is unchanged."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE mirror_page SET serial = ? WHERE source = ? AND project = ?",
                (serial, source, project),
            )
            connection.execute(
                "UPDATE page SET checked = ? WHERE source = ? AND project = ?",
                (checked, source, project),
            )

    def mark_incomplete(self, source: str, projects: Iterable[str]) -> None:
        """Mark projects that lack files; the next run checks them again."""
        marked = [(source, project) for project in projects]
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE mirror_page SET serial = NULL, selection = ''"
                " WHERE source = ? AND project = ?",
                marked,
            )
            connection.executemany("INSERT OR IGNORE INTO mirror_again VALUES (?, ?)", marked)

    def remove(self, source: str, projects: Iterable[str]) -> None:
        """Remove the records and pages of projects."""
        with self._database.write() as connection:
            for project in projects:
                for table in ("mirror_file", "mirror_page", "page"):
                    connection.execute(
                        f"DELETE FROM {table} WHERE source = ? AND project = ?",  # noqa: S608 - ours
                        (source, project),
                    )

    def forget(self, project: str) -> None:
        """Remove the records of a project at all indexes, until the next run."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO mirror_again"
                " SELECT source, project FROM mirror_page WHERE project = ?",
                (project,),
            )
            for table in ("mirror_file", "mirror_page"):
                connection.execute(f"DELETE FROM {table} WHERE project = ?", (project,))  # noqa: S608 - ours

    def needed(self, sha256s: Iterable[str]) -> set[str]:
        """Return those of ``sha256s`` that belong to a mirrored project."""
        query = "SELECT 1 FROM mirror_file WHERE sha256 = ? LIMIT 1"
        with self._database.read() as connection:
            return {s for s in sha256s if connection.execute(query, (s,)).fetchone() is not None}

    def names(self, source: str) -> list[str]:
        """Return the mirrored projects of an index, sorted."""
        query = "SELECT project FROM mirror_page WHERE source = ? ORDER BY project"
        return [project for (project,) in self._database.rows(query, (source,))]

    def totals(self, source: str) -> Totals:
        """Return the size of the mirror of an index."""
        projects = self._database.row(
            "SELECT count(*), coalesce(sum(selection = ''), 0) FROM mirror_page WHERE source = ?",
            (source,),
        )
        files = self._database.row(
            "SELECT count(*), count(removed), coalesce(sum(size), 0) FROM mirror_file"
            " WHERE source = ?",
            (source,),
        )
        return Totals(*projects, *files)

    def last_run(self, source: str) -> Run | None:
        """Return the last completed run, or None."""
        row = self._database.row(
            "SELECT serial, began, ended, failed FROM mirror_run WHERE source = ?", (source,)
        )
        return Run(*row) if row else None

    def put_run(self, source: str, run: Run) -> None:
        """Record a completed run."""
        self._database.execute(
            "INSERT OR REPLACE INTO mirror_run VALUES (?, ?, ?, ?, ?)", (source, *run)
        )


def is_mirrored_file(row: Sequence[Any]) -> bool:
    """Tell whether the address of an index and the values of a `MirroredFile` are sound."""
    source, project, filename, sha256, size, removed = row
    is_named = is_text(source, project, filename, sha256) and is_sha256(sha256)
    return is_named and is_count(size) and (removed is None or is_time(removed))


def _put_files(changes: Changes, source: str, files: Sequence[MirroredFile], now: float) -> None:
    changes.connection.executemany(
        "INSERT INTO mirror_file VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (source, project, filename) DO UPDATE SET"
        " sha256 = excluded.sha256, size = excluded.size, removed = excluded.removed",
        ((source, *file) for file in files),
    )
    # Mirrored pages state the sha256 of every file.
    pins = ((f.project, f.filename, f.sha256, f.sha256, now, source) for f in files)
    changes.make(ADD_PIN, pins)
