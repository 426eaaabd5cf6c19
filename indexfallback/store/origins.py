"""The origins that the file links on stored pages lead to.

Locks: none. The set in memory is replaced as a whole; two threads may record an origin twice.
"""

from collections.abc import Iterable
from typing import Any

from indexfallback.origin import origin_of
from indexfallback.page import ProjectPage
from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database

#: The most origins: the files of an index are on a few hosts, a hostile page may name thousands.
MOST = 256


class Origins:
    """Where the files of stored pages are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: frozenset[str] | None = None

    def note(self, pages: Iterable[ProjectPage]) -> None:
        """Record the origins of the links on pages that are kept; write only new ones."""
        with best_effort("record where files are"):
            known = frozenset(self.all()) if self._known is None else self._known
            new = sorted(origins_on(pages) - known)[: max(0, MOST - len(known))]
            for origin in new:
                self._database.execute("INSERT OR IGNORE INTO origin VALUES (?)", (origin,))
            self._known = known.union(new)

    def all(self) -> list[str]:
        """Return the recorded origins, sorted, without damaged ones."""
        return [origin for origin in self._rows() if _is_origin(origin)]

    def damaged(self) -> list[Any]:
        """Return the damaged records."""
        return [origin for origin in self._rows() if not _is_origin(origin)]

    def drop(self, origins: Iterable[Any]) -> None:
        """Remove damaged records; they are recorded again with the next page that is kept."""
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM origin WHERE origin = ?", ((origin,) for origin in origins)
            )

    def _rows(self) -> list[Any]:
        return [origin for (origin,) in self._database.rows("SELECT origin FROM origin ORDER BY 1")]


def _is_origin(value: object) -> bool:
    return isinstance(value, str) and origin_of(value) == value


def origins_on(pages: Iterable[ProjectPage]) -> frozenset[str]:
    """Return the origins of the links on pages."""
    # The part before the path is taken first, since a page has thousands of links to one host.
    found = {file.url[: file.url.find("/", 8)] for page in pages for file in page.files}
    return frozenset(origin for start in found if (origin := origin_of(start)) is not None)
