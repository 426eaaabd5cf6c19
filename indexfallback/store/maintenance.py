"""What is done to the store by hand: an account of it, cleaning up, and forgetting a project.

All of it may be done while shims use the same directory.
"""

from collections.abc import Iterable
from typing import NamedTuple

from indexfallback.names import METADATA_ENDING
from indexfallback.store import Store


class Info(NamedTuple):
    """How much the store holds. Sizes are bytes."""

    directory: str
    bytes: int
    limit: int
    files: int
    pages: int
    database: int
    quarantined: int
    #: Files that are mirrored, and their bytes, which the limit does not count.
    mirrored: int
    mirrored_bytes: int


class HeldFile(NamedTuple):
    """A file that is here. ``used`` is seconds since the epoch."""

    #: None for one that no pin names: its records were lost.
    project: str | None
    filename: str | None
    sha256: str
    size: int
    used: float


class HeldPage(NamedTuple):
    """A page that is here. ``checked`` is seconds since the epoch."""

    project: str
    #: Address of its index.
    source: str
    checked: float


class Cleaned(NamedTuple):
    """What a clean-up removed."""

    #: Files that went so that the limit holds, and their bytes.
    evicted: int
    bytes: int
    partials: int
    quarantined: int


class Forgotten(NamedTuple):
    """What was removed of a project."""

    pages: int
    files: int
    bytes: int
    #: Files that stay, since another project's pin names the same bytes.
    shared: int
    pins: int
    #: Indexes that were known to own it.
    owners: int


class Offered(NamedTuple):
    """What a page that is kept says of a file. ``checked`` is seconds since the epoch."""

    #: Address of the index.
    source: str
    sha256: str
    checked: float


class Disowned(NamedTuple):
    """What was removed when a project got free for another owner."""

    #: Indexes that were known to own it.
    owners: int
    pages: int


class DisownedIndex(NamedTuple):
    """What was removed when all projects of an index got free for other owners."""

    names: int
    pages: int


def info(store: Store, limit: int) -> Info:
    """Return how much the store holds."""
    return Info(
        str(store.directory),
        store.blobs.total(),
        limit,
        store.blobs.count(),
        store.pages.count(),
        store.database.size(),
        store.blobs.quarantined.count(),
        *store.mirrors.kept(),
    )


def held_files(store: Store, project: str | None = None) -> list[HeldFile]:
    """Return the files that are here, by project and name; bytes under two names come twice."""
    # Compared with nothing but the name, so that SQLite finds a project by its index.
    where, values = ("WHERE pin.project = ?", (project,)) if project is not None else ("", ())
    with store.database.read() as connection:
        rows = connection.execute(
            "SELECT pin.project, pin.filename, blob.sha256, blob.size, blob.used"  # noqa: S608 - ours
            f" FROM blob LEFT JOIN pin USING (sha256) {where}"
            " ORDER BY pin.project, pin.filename, blob.sha256",
            values,
        ).fetchall()
    return [HeldFile(*row) for row in rows]


def held_pages(store: Store, project: str | None = None) -> list[HeldPage]:
    """Return the pages that are here, by project."""
    with store.database.read() as connection:
        rows = connection.execute(
            "SELECT project, source, checked FROM page WHERE project = coalesce(?, project)"
            " ORDER BY project, source",
            (project,),
        ).fetchall()
    return [HeldPage(*row) for row in rows]


def clean(store: Store) -> Cleaned:
    """Evict down to the limit, and remove abandoned partial files and what was quarantined."""
    before = store.blobs.total()
    evicted = store.blobs.evict()
    return Cleaned(
        len(evicted),
        max(0, before - store.blobs.total()),
        store.blobs.partials.remove_abandoned(),
        store.blobs.quarantined.empty(),
    )


def forget(store: Store, project: str) -> Forgotten:
    """Remove all that is kept of a project, except bytes that another one names too."""
    size = files = 0
    pinned = set(store.pins.of_project(project).values())
    shared = _named_elsewhere(store, project)
    store.mirrors.forget(project)
    here = {file.sha256: file.size for file in held_files(store, project)}
    # Files first: whatever ends this half-way leaves pins, which do no harm, and no bytes that
    # nothing names.
    for sha256 in pinned - shared:
        store.blobs.remove(sha256)
        files += sha256 in here
        size += here.get(sha256, 0)
    return Forgotten(
        store.pages.remove(project),
        files,
        size,
        len(shared & here.keys()),
        store.pins.remove(project),
        store.ledger.forget(project),
    )


def _named_elsewhere(store: Store, project: str) -> set[str]:
    with store.database.read() as connection:
        rows = connection.execute(
            "SELECT sha256 FROM pin WHERE project = ? AND EXISTS (SELECT 1 FROM pin AS other"
            " WHERE other.sha256 = pin.sha256 AND other.project <> pin.project)",
            (project,),
        ).fetchall()
    return {sha256 for (sha256,) in rows}


def offered(store: Store, project: str, filename: str) -> list[Offered]:
    """Return what each kept page that lists a file with a sha256 says of it."""
    found = []
    for held in held_pages(store, project):
        page = store.pages.load(held.source, project)
        file = page.file(filename) if page is not None else None
        if file is not None and file.sha256 is not None:
            found.append(Offered(held.source, file.sha256, held.checked))
    return found


def accept(store: Store, project: str, filename: str) -> None:
    """Forget the pins of a file and of its metadata, and their bytes if nothing else names them."""
    names = (filename, filename + METADATA_ENDING)
    pins = store.pins.of_project(project)
    for name in names:
        store.pins.remove(project, name)
    # The pin first: what is offered now counts from here on, whatever becomes of the bytes.
    for sha256 in {pins[name] for name in names if name in pins}:
        if not _is_named(store, sha256):
            store.blobs.remove(sha256)


def _is_named(store: Store, sha256: str) -> bool:
    with store.database.read() as connection:
        query = "SELECT 1 FROM pin WHERE sha256 = ? LIMIT 1"
        return connection.execute(query, (sha256,)).fetchone() is not None


def disown(store: Store, project: str, private: Iterable[str]) -> Disowned:
    """Forget who owns a project, and the pages of it from the owners and from ``private``.

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
