"""Maintenance of the store by commands: cleaning, and removal of projects, files and owners.

All functions may be used while shims use the same directory.
"""

from collections.abc import Iterable
from typing import NamedTuple

from indexfallback.names import METADATA_ENDING
from indexfallback.store import Store, best_effort
from indexfallback.store.inventory import held_files


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


class Disowned(NamedTuple):
    """What was removed to allow another owner of a project."""

    #: Number of indexes that owned it.
    owners: int
    pages: int


class DisownedIndex(NamedTuple):
    """What was removed to allow other owners of all projects of an index."""

    names: int
    pages: int


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
    # The pages first: after an interruption the names are still owned.
    pages = store.pages.remove_all(source)
    return DisownedIndex(store.ledger.forget_all(source), pages)
