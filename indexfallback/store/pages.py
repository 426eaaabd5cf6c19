"""Stored project pages, with their validators and the time of the last confirmation."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Protocol

from indexfallback.names import METADATA_ENDING
from indexfallback.page import ProjectPage
from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.forms import Noted, is_text
from indexfallback.store.origins import Origins
from indexfallback.store.page_rows import (
    BODY,
    FACTS,
    PUT_PAGE,
    ROW,
    PageFacts,
    is_page,
    page_row,
    read_facts,
    read_page,
)
from indexfallback.store.statements import Ordered

#: Projects of which a distribution file is stored.
_NAMES_HELD = f"""
SELECT DISTINCT project FROM page WHERE EXISTS (
    SELECT 1 FROM pin JOIN blob ON blob.sha256 = pin.sha256
    WHERE pin.project = page.project AND pin.filename NOT LIKE '%{METADATA_ENDING}'
)"""  # noqa: S608 - a constant
LATEST = "SELECT project FROM page WHERE source = ? ORDER BY checked DESC LIMIT 1"
#: A page that is damaged more often does not get better by being stored again.
_MOST_DAMAGES = 2
_KEYS = Ordered(
    "SELECT source, project FROM page WHERE (source, project) > (?, ?)"
    " ORDER BY source, project LIMIT ?",
    (0, 1),
)
#: The clocks of machines that agree differ by less than this, seconds. A page that was confirmed
#: later than now would stay fresh for as long as the clock of its shim is ahead.
_CLOCKS_APART = 1.0
#: Appended to `PUT_PAGE`: only the mirror replaces its pages; one that was lost is stored again.
_UNLESS_MIRRORED = (
    " WHERE NOT EXISTS (SELECT 1 FROM mirror_page JOIN page USING (source, project)"
    " WHERE source = ? AND project = ?)"
)

#: The tables with the data of an index about a project, which are removed together.
_TABLES = ("mirror_page", "document", "provenance", "page")


class PageSharing(Protocol):
    """A bucket with the pages of several shims."""

    def page_changed(self, source: str, project: str) -> None:
        """Let a thread write the page that is stored here, or its removal, to the bucket."""


class Pages:
    """The pages of all indexes, under the address of the index without credentials."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.shared: PageSharing | None = None
        #: Where the files on these pages are.
        self.origins = Origins(database)
        self._noted = Noted()

    def facts(self, source: str, project: str) -> PageFacts | None:
        """Return the metadata of a stored page, or None."""
        return self.facts_of([source], project).get(source)

    def facts_of(self, sources: Sequence[str], project: str) -> dict[str, PageFacts]:
        """Return the metadata of a project's stored pages, by the address of the index."""
        marks = ",".join("?" * len(sources))
        query = f"{FACTS} WHERE source IN ({marks}) AND project = ?"
        rows = self._database.rows(query, (*sources, project))
        found = {}
        for source, *row in rows:
            facts = read_facts(source, project, row)
            if facts is not None:
                found[source] = facts
            elif source in sources:
                self._drop(source, project)
            else:  # the table and its index disagree
                with best_effort("make the damaged database again"):
                    self._database.make_again(f"the page of {project} has another key")
        return found

    def load(self, source: str, project: str) -> ProjectPage | None:
        """Return a stored page, or None if there is none or it is damaged."""
        row = self._database.row(BODY, (source, project))
        page = read_page(source, project, row) if row is not None else None
        if row is not None and page is None:
            self._drop(source, project)
        return page

    def keys(self) -> Iterator[tuple[str, str]]:
        """Yield the source and the project of each page."""
        yield from chain.from_iterable(self._database.pieces(_KEYS))

    def damaged(self, *, bodies: bool) -> Iterator[tuple[str, str]]:
        """Yield source and project of the damaged pages; without ``bodies`` only facts are read."""
        for key in self.keys():
            if self._is_damaged(*key, bodies=bodies):
                yield key

    def _is_damaged(self, source: str, project: str, *, bodies: bool) -> bool:
        row = self._database.row(f"{FACTS} WHERE source = ? AND project = ?", (source, project))
        if row is None:  # removed meanwhile, or its key is no text
            return not is_text(source, project)
        if read_facts(source, project, row[1:]) is None:
            return True
        body = self._database.row(BODY, (source, project)) if bodies else None
        return body is not None and read_page(source, project, body) is None

    def _drop(self, source: str, project: str) -> None:
        """Remove a damaged page, the mirror's too: it is fetched again."""
        times = self._noted.damaged(f"the page of {project} from {source}")
        with best_effort(f"remove the damaged page of {project}"):
            self.remove(project, source)
            if times > _MOST_DAMAGES or self._database.row(BODY, (source, project)) is not None:
                self._database.make_again(f"the page of {project} cannot be replaced")

    def put(self, source: str, page: ProjectPage, facts: PageFacts) -> None:
        """Store a page, unless there is one of the mirror."""
        self._database.execute(
            PUT_PAGE + _UNLESS_MIRRORED, (*page_row(source, page, facts), source, page.name)
        )
        self.origins.note([page])
        self._tell(source, page.name)

    def _tell(self, source: str, project: str) -> None:
        if self.shared is not None:
            self.shared.page_changed(source, project)

    def row(self, source: str, project: str) -> Sequence[Any] | None:
        """Return the whole row of a page, with the columns of `PUT_PAGE`, or None."""
        row: Sequence[Any] | None = self._database.row(ROW, (source, project))
        return row if row is not None and is_page(row) else None

    def adopt(
        self, source: str, project: str, row: Sequence[Any], after: float
    ) -> PageFacts | None:
        """Store a row of another store if it was checked ``after`` that time; return its facts.

        None is returned for one that is older, not sound, or of a clock that is ahead, and if the
        mirror keeps the page.
        """
        try:
            is_sound = tuple(row[:2]) == (source, project) and is_page(row)
        except ValueError:  # it has other columns
            return None
        if not is_sound:
            return None
        now = time.time()
        if not after < row[6] <= now + _CLOCKS_APART:
            return None
        checked, resolved = (min(when, now) for when in row[6:8])
        adopted = (*row[:6], checked, resolved, *row[8:])
        with best_effort(f"store the shared page of {project}"):
            self._database.execute(PUT_PAGE + _UNLESS_MIRRORED, (*adopted, source, project))
            page = self.load(source, project)
            if page is not None:
                self.origins.note([page])
        return self.facts(source, project)

    def confirm(self, source: str, project: str, facts: PageFacts) -> None:
        """Record the times of a page whose content is unchanged."""
        self._database.execute(
            "UPDATE page SET checked = ?, resolved = ?, passed = ?"
            " WHERE source = ? AND project = ?",
            (*facts[2:5], source, project),
        )
        self._tell(source, project)

    def remove(self, project: str, source: str | None = None) -> int:
        """Remove a project's pages, of one index or of all; return their number.

        Its JSON documents and provenance objects go with them. The mirror restores its page in its
        next run.
        """
        removed = self._remove("project = ? AND source = coalesce(?, source)", project, source)
        if source is not None:
            self._tell(source, project)
        return removed

    def remove_all(self, source: str) -> int:
        """Forget all pages of an index, the mirror's too, and what goes with them.

        Returns how many pages there were.
        """
        return self._remove("source = ?", source)

    def _remove(self, where: str, *values: str | None) -> int:
        with self._database.write() as connection:
            removed = {
                table: connection.execute(
                    f"DELETE FROM {table} WHERE {where}",  # noqa: S608 - ours
                    values,
                ).rowcount
                for table in _TABLES
            }
        return removed["page"]

    def names(self, sources: Iterable[str]) -> list[str]:
        """Return the projects with a stored page of one of these indexes, sorted."""
        return self._names("SELECT DISTINCT project FROM page WHERE true", sources)

    def names_held(self, sources: Iterable[str]) -> list[str]:
        """Return those of `names` of which a distribution file is stored, sorted."""
        return self._names(_NAMES_HELD, sources)

    def _names(self, query: str, sources: Iterable[str]) -> list[str]:
        wanted = list(sources)
        marks = ",".join("?" * len(wanted))
        query = f"{query} AND source IN ({marks}) ORDER BY project"
        return [project for (project,) in self._database.rows(query, wanted)]

    def latest(self, source: str) -> str | None:
        """Return the project with the most recently confirmed page of an index, or None."""
        row = self._database.row(LATEST, (source,))
        return row[0] if row else None

    def count(self) -> int:
        """Return the number of pages."""
        return int(self._database.row("SELECT count(*) FROM page")[0])
