"""A directory as the search reads it: its distributions, or the files on a static tree's pages.

Locks: none. One thread uses it.
"""

import logging
import os
from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path

from indexfallback.config import Index
from indexfallback.dists.bounds import MAX_METADATA
from indexfallback.errors import PageError
from indexfallback.formats import parse_page
from indexfallback.names import METADATA_ENDING
from indexfallback.page import File
from indexfallback.search.distributions import metadata_in, newest_first
from indexfallback.search.own_files import OwnFile, OwnProject
from indexfallback.upstream.facts import FactsCache, stamp_of
from indexfallback.upstream.roots import Roots, path_of
from indexfallback.upstream.scan import DirectoryListing, scan

log = logging.getLogger("indexfallback")


class DirectoryFiles:
    """One directory on this machine."""

    at_once = 1

    def __init__(self, index: Index, facts: FactsCache, page_size: int) -> None:
        self.index = index
        self._path = path_of(index.url)
        self._facts = facts
        self._page_size = page_size
        #: What was in it when its projects were described, and when it was listed last.
        self._described: DirectoryListing | None = None
        self._scanned: DirectoryListing | None = None

    def listed(self) -> Iterator[OwnProject] | None:
        """Yield all projects; None if nothing has changed since `keep`. Raises OSError."""
        before = self._described
        self._scanned = scan(self._path, before or self._scanned, self._facts)
        return None if self._scanned is before else self._projects(self._scanned, before)

    def keep(self) -> None:
        """Remember what was listed last: all of it is described."""
        self._described = self._scanned

    def forget(self) -> None:
        """Remember nothing, so that all projects are listed again."""
        self._described = None

    def project(self, name: str) -> OwnProject | None:
        """Return a project as it is now, or None; raises OSError."""
        self._scanned = scan(self._path, self._scanned, self._facts)
        return self._project(self._scanned, name) if name in self._scanned.names else None

    def _projects(
        self, listing: DirectoryListing, before: DirectoryListing | None
    ) -> Iterator[OwnProject]:
        for name in listing.names:
            if before is not None and _is_same(listing, before, name):
                yield OwnProject(name, None, tuple)
            else:
                yield self._project(listing, name)

    def _project(self, listing: DirectoryListing, name: str) -> OwnProject:
        page = listing.pages.get(name)
        if page is not None:
            return OwnProject(name, _stamp(page), partial(self._on_page, name, page))
        paths = newest_first(listing.projects[name], name, os.path.basename)
        return OwnProject(name, _stamp(*paths[:1]), partial(self._at, paths))

    def _at(self, paths: list[str]) -> list[OwnFile]:
        roots = Roots(self._path)
        return [
            OwnFile(file, partial(_metadata_of, roots, file))
            for file in (File(filename=path.name, url=path.as_uri()) for path in map(Path, paths))
        ]

    def _on_page(self, project: str, path: str) -> list[OwnFile]:
        """Return the files that the page of a static tree lists, here or at a server."""
        url, roots = Path(path).as_uri(), Roots(self._path)
        try:
            with Path(path).open("rb") as file:
                body = file.read(self._page_size)
            page = roots.restrict(parse_page(body, "text/html", url, project, whole=True))
        except (PageError, OSError) as error:  # its page reports it
            log.info("%s cannot be read for the search: %s", path, error)
            return []
        return [
            OwnFile(file, partial(_metadata_of, roots, file))
            for file in newest_first(page.files, project, attrgetter("filename"))
        ]


def _is_same(listing: DirectoryListing, before: DirectoryListing, project: str) -> bool:
    """Tell whether neither the names of a project's files nor the folder of its page changed."""
    page = listing.pages.get(project)
    if page is None:
        return listing.projects[project] == before.projects.get(project)
    folder = os.path.dirname(page)  # noqa: PTH120 - Path is too slow for thousands
    is_there = before.pages.get(project) == page
    return is_there and listing.folders.get(folder) is before.folders.get(folder)


def _stamp(*paths: str) -> str:
    """Return the stamp of a project whose newest file, or whose page, is at a path."""
    try:
        return " ".join(
            f"{os.path.basename(path)} {' '.join(map(str, stamp_of(os.stat(path))))}"  # noqa: PTH116, PTH119 - as `scan` does
            for path in paths
        )
    except OSError:  # removed since: it is another one in the next listing
        return ""


def _metadata_of(roots: Roots, file: File) -> bytes | None:
    """Return the metadata of a distribution: the file beside it, else what it has itself."""
    if not file.url.startswith("file:"):  # a search asks no server
        return None
    path = path_of(file.url)
    beside = path.with_name(path.name + METADATA_ENDING)
    try:
        if beside.is_file() and roots.holds(str(beside)):
            with beside.open("rb") as opened:
                return opened.read(MAX_METADATA)
    except OSError as error:
        log.info("%s cannot be read for the search: %s", beside, error)
    return metadata_in(path, path.name) if roots.holds(str(path)) else None
