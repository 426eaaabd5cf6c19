"""Stored project pages: what an index last said of a project, and when that was known to hold."""

import hashlib
import logging
import zlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from indexfallback.names import METADATA_ENDING
from indexfallback.page import ProjectPage
from indexfallback.store.database import Database

log = logging.getLogger("indexfallback.store")

#: zlib level: pages are mostly repeated addresses, a fifth remains already at the quickest.
_COMPRESSION = 1

#: Projects of which a file that was served is stored.
_NAMES_HELD = f"""
SELECT DISTINCT project FROM page WHERE EXISTS (
    SELECT 1 FROM pin JOIN blob ON blob.sha256 = pin.sha256
    WHERE pin.project = page.project AND pin.filename NOT LIKE '%{METADATA_ENDING}'
)"""  # noqa: S608 - nobody else's words
#: Keeps a page, given a `page_row`.
PUT_PAGE = (
    "INSERT OR REPLACE INTO page"
    " (source, project, body, etag, modified, digest, checked, resolved, passed)"
    " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?"
)
#: After it: that one is the mirror's to replace.
_UNLESS_MIRRORED = " WHERE NOT EXISTS (SELECT 1 FROM mirror_page WHERE source = ? AND project = ?)"

_decoder = msgspec.msgpack.Decoder(ProjectPage)


class Validators(NamedTuple):
    """What revalidates a page (RFC 9110, 8.8)."""

    etag: str | None = None
    last_modified: str | None = None


class PageFacts(NamedTuple):
    """What is known of a stored page without reading it. Times are seconds since the epoch."""

    validators: Validators
    #: Names the content: pages that say the same have the same digest.
    digest: str
    #: When the index last confirmed it.
    checked: float
    #: When a whole chain was last walked down to it, 0 if never; and the digest of the indexes
    #: that the walk passed, so that another chain does not take this answer for its own.
    resolved: float = 0.0
    passed: str = ""
    #: Whether the mirror keeps it, and nobody else; 1 or 0.
    mirrored: int = 0

    def age(self, now: float) -> float:
        """Return seconds since the index confirmed it; infinite if that lies ahead."""
        return _age(self.checked, now)

    def resolution_age(self, now: float) -> float:
        """Return seconds since the chain was walked; infinite if that lies ahead."""
        return _age(self.resolved, now)


def _age(then: float, now: float) -> float:
    # A clock that was set back must not keep a page fresh for a year.
    return now - then if then <= now else float("inf")


def digest_of(page: ProjectPage) -> str:
    """Return what names a page's content."""
    return hashlib.sha256(msgspec.msgpack.encode(page)).hexdigest()[:32]


def page_row(source: str, page: ProjectPage, facts: PageFacts) -> tuple[object, ...]:
    """Return what `PUT_PAGE` keeps."""
    body = zlib.compress(msgspec.msgpack.encode(page), _COMPRESSION)
    return (source, page.name, body, *facts.validators, *facts[1:5])


class Pages:
    """The pages of all indexes, each under the index's address without credentials."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def facts(self, source: str, project: str) -> PageFacts | None:
        """Return what is known of an index's page, or None if it was never seen."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT etag, modified, digest, checked, resolved, passed,"
                " EXISTS (SELECT 1 FROM mirror_page"
                "  WHERE mirror_page.source = page.source AND mirror_page.project = page.project)"
                " FROM page WHERE source = ? AND project = ?",
                (source, project),
            ).fetchone()
        return PageFacts(Validators(*row[:2]), *row[2:]) if row else None

    def load(self, source: str, project: str) -> ProjectPage | None:
        """Return an index's stored page, or None if it was never seen or cannot be read."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM page WHERE source = ? AND project = ?", (source, project)
            ).fetchone()
        try:
            return _decoder.decode(zlib.decompress(row[0])) if row else None
        except (zlib.error, msgspec.DecodeError) as error:
            log.warning("the stored page of %s from %s is damaged (%s)", project, source, error)
            return None

    def put(self, source: str, page: ProjectPage, facts: PageFacts) -> None:
        """Keep a page, in place of the one before unless that is the mirror's."""
        with self._database.write() as connection:
            connection.execute(
                PUT_PAGE + _UNLESS_MIRRORED,
                (*page_row(source, page, facts), source, page.name),
            )

    def confirm(self, source: str, project: str, facts: PageFacts) -> None:
        """Record only when a page was confirmed and resolved: its content is the same."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE page SET checked = ?, resolved = ?, passed = ?"
                " WHERE source = ? AND project = ?",
                (*facts[2:5], source, project),
            )

    def remove(self, project: str, source: str | None = None) -> int:
        """Forget a project's pages, of one index or of all; return how many there were.

        The mirror gets its own again at its next run.
        """
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM mirror_page WHERE project = ? AND source = coalesce(?, source)",
                (project, source),
            )
            return connection.execute(
                "DELETE FROM page WHERE project = ? AND source = coalesce(?, source)",
                (project, source),
            ).rowcount

    def remove_all(self, source: str) -> int:
        """Forget all pages of an index, the mirror's too; return how many there were."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM mirror_page WHERE source = ?", (source,))
            return connection.execute("DELETE FROM page WHERE source = ?", (source,)).rowcount

    def names(self, sources: Iterable[str]) -> list[str]:
        """Return the projects that have a page of one of these indexes, sorted."""
        wanted = list(sources)
        marks = ",".join("?" * len(wanted))
        query = f"SELECT DISTINCT project FROM page WHERE source IN ({marks}) ORDER BY project"  # noqa: S608 - marks
        with self._database.read() as connection:
            return [project for (project,) in connection.execute(query, wanted)]

    def names_held(self, sources: Iterable[str]) -> list[str]:
        """Return those of `names` of which a file that was served is stored, sorted."""
        wanted = list(sources)
        marks = ",".join("?" * len(wanted))
        query = f"{_NAMES_HELD} AND source IN ({marks}) ORDER BY project"
        with self._database.read() as connection:
            return [project for (project,) in connection.execute(query, wanted)]

    def latest(self, source: str) -> str | None:
        """Return the project whose page an index confirmed last, or None."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT project FROM page WHERE source = ? ORDER BY checked DESC LIMIT 1",
                (source,),
            ).fetchone()
        return row[0] if row else None

    def count(self) -> int:
        """Return the number of pages."""
        with self._database.read() as connection:
            return int(connection.execute("SELECT count(*) FROM page").fetchone()[0])
