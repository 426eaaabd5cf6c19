"""Maintenance of the store by commands: sizes, contents, cleaning, and removal of projects.

All functions may be used while shims use the same directory.
"""

import heapq
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import chain, groupby
from operator import attrgetter
from typing import NamedTuple

from indexfallback.names import METADATA_ENDING
from indexfallback.store import Store, best_effort
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


class Cleaned(NamedTuple):
    """What a clean-up removed."""

    #: Files evicted down to the limit, and their bytes.
    evicted: int
    bytes: int
    partials: int
    quarantined: int


class Forgotten(NamedTuple):
    """What was removed of a project."""

    pages: int
    files: int
    bytes: int
    #: Files that were not removed, since another project has a pin for the same bytes.
    shared: int
    pins: int
    #: Number of indexes that owned it.
    owners: int


class ListedFile(NamedTuple):
    """A file as a stored page lists it. ``checked`` is seconds since the epoch."""

    #: Address of the index.
    source: str
    sha256: str
    checked: float


class Disowned(NamedTuple):
    """What was removed to allow another owner of a project."""

    #: Number of indexes that owned it.
    owners: int
    pages: int


class DisownedIndex(NamedTuple):
    """What was removed when all projects of an index got free for other owners."""

    names: int
    pages: int


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


def clean(store: Store) -> Cleaned:
    """Evict down to the limit; remove abandoned partial files and the quarantine."""
    partials = store.blobs.partials.tidy()
    before = store.blobs.records.total()
    evicted = store.blobs.eviction.evict()
    return Cleaned(
        len(evicted),
        max(0, before - store.blobs.records.total()),
        partials,
        store.blobs.quarantined.empty(),
    )


def forget(store: Store, project: str) -> Forgotten:
    """Remove everything stored of a project, except files that another project shares."""
    size = files = 0
    pinned = {pin.sha256 for pins in store.pins.of_project(project).values() for pin in pins}
    shared = _named_elsewhere(store, project)
    with best_effort(f"remove {project} from the search"):
        store.search.remove(project)
    store.mirrors.forget(project)
    sizes = {file.sha256: file.size for file in held_files(store, project)}
    # Files first: an interruption then leaves pins, which are harmless, and no file without a
    # pin.
    for sha256 in pinned - shared:
        store.blobs.remove(sha256)
        files += sha256 in sizes
        size += sizes.get(sha256, 0)
    return Forgotten(
        store.pages.remove(project),
        files,
        size,
        len(shared & sizes.keys()),
        store.pins.remove(project),
        store.ledger.forget(project),
    )


def _named_elsewhere(store: Store, project: str) -> set[str]:
    rows = store.database.rows(
        "SELECT sha256 FROM pin WHERE project = ? AND EXISTS (SELECT 1 FROM pin AS other"
        " WHERE other.sha256 = pin.sha256 AND other.project <> pin.project)",
        (project,),
    )
    return {sha256 for (sha256,) in rows}


def listed_files(store: Store, project: str, filename: str) -> list[ListedFile]:
    """Return a file as each stored page lists it with a sha256."""
    found: list[ListedFile] = []
    for held in held_pages(store, project):
        page = store.pages.load(held.source, project)
        sha256s = page.sha256s(filename) if page is not None else ()
        found += [ListedFile(held.source, sha256, held.checked) for sha256 in sorted(sha256s)]
    return found


def accept(store: Store, project: str, filename: str) -> None:
    """Remove the pins of a file and its metadata, and their bytes if no other pin has them."""
    names = (filename, filename + METADATA_ENDING)
    pinned = {pin.sha256 for name in names for pin in store.pins.of_name(project, name)}
    for name in names:
        store.pins.remove(project, name)
    # The pins first: the offered content is accepted even if the bytes cannot be removed.
    for sha256 in pinned:
        if not _is_named(store, sha256):
            store.blobs.remove(sha256)


def _is_named(store: Store, sha256: str) -> bool:
    return store.database.row("SELECT 1 FROM pin WHERE sha256 = ? LIMIT 1", (sha256,)) is not None


def disown(store: Store, project: str, private: Iterable[str]) -> Disowned:
    """Remove the owners of a project, and its pages from the owners and from ``private``.

    ``private`` are the addresses of the private indexes.
    """
    sources = {*private, *store.ledger.owners(project)}
    pages = sum(store.pages.remove(project, source) for source in sources)
    return Disowned(store.ledger.forget(project), pages)


def disown_all(store: Store, source: str) -> DisownedIndex:
    """Forget all that an index is known to own, its list of names, and its pages."""
    # The pages first: whatever ends this half-way leaves names that are owned.
    pages = store.pages.remove_all(source)
    return DisownedIndex(store.ledger.forget_all(source), pages)
