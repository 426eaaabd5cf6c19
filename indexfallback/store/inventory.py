"""What the store has: its sizes, its files and pages, by project.

All functions may be used while shims use the same directory.
"""

import heapq
from collections.abc import Iterator
from functools import reduce
from itertools import chain, groupby
from operator import attrgetter
from typing import NamedTuple

from indexfallback.store import Store
from indexfallback.store.statements import Ordered

#: Stored files without a pin.
_NAMELESS = Ordered(
    "SELECT sha256, size, used FROM blob WHERE sha256 > ?"
    " AND NOT EXISTS (SELECT 1 FROM pin WHERE pin.sha256 = blob.sha256) ORDER BY sha256 LIMIT ?",
    (0,),
)
#: Stored files with a pin. A CROSS JOIN is done in this order, which is that of the rows.
_NAMED = Ordered(
    "SELECT project, filename, sha256, size, used, key FROM pin CROSS JOIN blob USING (sha256)"
    " WHERE (project, filename, key) > (?, ?, ?) ORDER BY project, filename, key LIMIT ?",
    (0, 1, 5),
)
_PAGES = Ordered(
    "SELECT project, source, checked FROM page WHERE (source, project) > (?, ?)"
    " ORDER BY source, project LIMIT ?",
    (1, 0),
)
_PAGE_NAMES = Ordered(
    "SELECT project FROM page WHERE source = ? AND project > ? ORDER BY project LIMIT ?", (0,)
)


class Info(NamedTuple):
    """The content of the store in numbers. Sizes are bytes."""

    directory: str
    bytes: int
    limit: int
    files: int
    pages: int
    #: JSON documents of projects and versions.
    documents: int
    database: int
    quarantined: int
    #: Files that are being fetched, or can be continued, and their bytes.
    partials: int
    partial_bytes: int
    #: Mirrored files and their bytes, which do not count towards the limit.
    mirrored: int
    mirrored_bytes: int


class HeldFile(NamedTuple):
    """A stored file. ``used`` is seconds since the epoch."""

    #: None for a file without a pin, whose records were lost.
    project: str | None
    filename: str | None
    sha256: str
    size: int
    used: float


class HeldPage(NamedTuple):
    """A stored page. ``checked`` is seconds since the epoch."""

    project: str
    #: Address of its index.
    source: str
    checked: float


class HeldProject(NamedTuple):
    """What is stored of a project: numbers of files and pages, and bytes."""

    #: Empty for files without a pin, whose records were lost.
    project: str
    files: int = 0
    bytes: int = 0
    pages: int = 0
    #: When a file of it was last used, seconds since the epoch.
    used: float = 0.0

    def joined(self, other: "HeldProject") -> "HeldProject":
        """Return what is stored together."""
        files, size, pages = (mine + its for mine, its in zip(self[1:4], other[1:4], strict=True))
        return HeldProject(self.project, files, size, pages, max(self.used, other.used))


class ListedFile(NamedTuple):
    """A file as a stored page lists it. ``checked`` is seconds since the epoch."""

    #: Address of the index.
    source: str
    sha256: str
    checked: float


def info(store: Store, limit: int) -> Info:
    """Return the content of the store in numbers."""
    totals = store.blobs.records.totals()
    return Info(
        str(store.read_only or store.directory),
        totals.evictable_bytes,
        limit,
        totals.files,
        store.pages.count(),
        store.documents.count(),
        store.database.size(),
        store.blobs.quarantined.count(),
        *store.blobs.partials.size(),
        totals.mirrored,
        totals.mirrored_bytes,
    )


def held_files(store: Store, project: str) -> list[HeldFile]:
    """Return the stored files of a project by name; a file with two names is listed twice."""
    rows = store.database.rows(
        "SELECT DISTINCT project, filename, sha256, size, used FROM pin JOIN blob USING (sha256)"
        " WHERE project = ? ORDER BY filename, sha256",
        (project,),
    )
    return [HeldFile(*row) for row in rows]


def all_files(store: Store) -> Iterator[HeldFile]:
    """Yield all stored files as `held_files` does, by project; first those without a pin."""
    for rows in store.database.pieces(_NAMELESS):
        yield from (HeldFile(None, None, *row) for row in rows)
    name, seen = ("", ""), set[HeldFile]()
    for row in chain.from_iterable(store.database.pieces(_NAMED)):
        file = HeldFile(*row[:-1])
        if row[:2] != name:
            seen.clear()
        if file not in seen:  # else under another address
            yield file
        seen.add(file)
        name = row[:2]


def held_pages(store: Store, project: str) -> list[HeldPage]:
    """Return the stored pages of a project."""
    query = "SELECT project, source, checked FROM page WHERE project = ? ORDER BY source"
    return [HeldPage(*row) for row in store.database.rows(query, (project,))]


def all_pages(store: Store) -> Iterator[HeldPage]:
    """Yield all stored pages, by index and project."""
    for rows in store.database.pieces(_PAGES):
        yield from (HeldPage(*row) for row in rows)


def held_projects(store: Store) -> Iterator[HeldProject]:
    """Yield what is stored of each project, by name; files without a pin come first."""
    sources = store.database.rows("SELECT DISTINCT source FROM page")
    pages = (_pages_of(store, source) for (source,) in sources)
    files = (
        HeldProject(file.project or "", 1, file.size, used=file.used) for file in all_files(store)
    )
    by_name = attrgetter("project")
    for _, held in groupby(heapq.merge(files, *pages, key=by_name), by_name):
        yield reduce(HeldProject.joined, held)


def _pages_of(store: Store, source: str) -> Iterator[HeldProject]:
    for rows in store.database.pieces(_PAGE_NAMES, source):
        yield from (HeldProject(name, pages=1) for (name,) in rows)


def listed_files(store: Store, project: str, filename: str) -> list[ListedFile]:
    """Return a file as each stored page lists it with a sha256."""
    found: list[ListedFile] = []
    for held in held_pages(store, project):
        page = store.pages.load(held.source, project)
        sha256s = page.sha256s(filename) if page is not None else ()
        found += [ListedFile(held.source, sha256, held.checked) for sha256 in sorted(sha256s)]
    return found
