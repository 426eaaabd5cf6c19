"""Checks an archive to its last byte, and then merges it into the store.

Verified files are stored at once. Pages, provenance objects, pins and owners are merged after
everything was checked, owners first, so that a page is never stored before its owner. An import
never removes or replaces newer records, so it can be repeated, interrupted, and run twice at once.
What it would change of the records here (`changes`) needs consent: without it, all records of that
project stay.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from indexfallback.carry.archive import Archive
from indexfallback.carry.blob_batch import BlobBatch
from indexfallback.carry.changes import Change, Consent, no_changes
from indexfallback.carry.comparison import Comparison
from indexfallback.carry.manifest import CarriedFile, CarriedPage, CarriedProvenance
from indexfallback.carry.owner_log import record_owners
from indexfallback.carry.page_check import moved
from indexfallback.carry.pages import ArchivedPages
from indexfallback.carry.progress import Progress, no_progress
from indexfallback.carry.provenance import merge_objects, read_objects
from indexfallback.config import Index
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.pins import Pin
from indexfallback.words import size

#: The length of a page's digest (`store.page_rows.digest_of`) in hexadecimal digits.
_DIGEST = 32


class Imported(NamedTuple):
    """The result of an import, or what it would be."""

    projects: int
    #: Files that were not cached before, and their bytes.
    files: int
    bytes: int
    #: Files that were cached already.
    held: int
    pages: int
    #: Pages that were not merged: the cached ones are as new, or newer.
    kept: int
    pins: int
    #: Files whose pin here has another sha256: they are withheld.
    withheld: tuple[str, ...]
    #: What the archive would change of what is here.
    changes: tuple[Change, ...]
    #: Projects that stay as they are, because a change of them was not agreed to; sorted.
    left: tuple[str, ...]


class Plan(NamedTuple):
    """What an import does."""

    changes: tuple[Change, ...]
    #: Pages that are newer than those here.
    pages: list[CarriedPage]
    pins: list[Pin]
    withheld: list[Pin]

    def left(self, agreed: Collection[Change]) -> frozenset[str]:
        """Return the projects that stay as they are if these changes are agreed to."""
        return frozenset(change.project for change in self.changes if change not in set(agreed))


class Import:
    """Imports one archive into a store."""

    def __init__(
        self, store: Store, archive: Archive, chain: Sequence[Index], keys: Mapping[str, str]
    ) -> None:
        """Read the manifest; raises `CarryError`.

        ``chain`` are the indexes here, which decide on roles. ``keys`` maps the address of an
        index in the archive to its address here, if that differs.
        """
        self._store = store
        self._archive = archive
        self.manifest = archive.manifest()
        self._here = Comparison(store, self.manifest, chain, keys)
        self._files = [file for file in self.manifest.files if file.here]
        self._pages = ArchivedPages(archive, self.manifest, self._here)

    def run(
        self, limit: int, consent: Consent, progress: Progress, *, dry_run: bool = False
    ) -> Imported:
        """Check and merge the archive into a store of at most ``limit`` bytes.

        With ``dry_run`` only check it, and return what would be merged.
        """
        held = self._check_files(limit, progress, keep=not dry_run)
        plan = self._plan()
        for _ in self._read_objects():  # each is checked
            pass
        self._archive.end()
        agreed = consent(plan.changes) if plan.changes else ()
        if plan.changes and not dry_run:
            plan = self._plan()  # the user may have thought for long, while a shim went on
        left = plan.left(agreed)
        if not dry_run:
            self._merge(plan, left)
        return self._imported(plan, left, held)

    def _imported(self, plan: Plan, left: frozenset[str], held: Collection[str]) -> Imported:
        manifest = self.manifest
        new = [each for each in manifest.files if each.sha256 not in held]
        pages = sum(page.project not in left for page in plan.pages)
        return Imported(
            len(manifest.projects),
            len(new),
            sum(each.size for each in new),
            len(held),
            pages,
            sum(page.project not in left for page in manifest.pages) - pages,
            sum(pin.project not in left for pin in plan.pins),
            tuple(pin.filename for pin in plan.withheld),
            plan.changes,
            tuple(sorted(left)),
        )

    def _check_files(self, limit: int, progress: Progress, *, keep: bool) -> set[str]:
        """Check all files, and store them with ``keep``; return those that were here before."""
        manifest, archive = self.manifest, self._archive
        if manifest.size > limit:
            raise archive.error(
                f"its files have {size(manifest.size)}, and the cache holds {size(limit)}",
                "raise cache.max_size, or export fewer projects",
            )
        checked = progress(manifest.files, "Checking", len(manifest.files))
        held = {file.sha256 for file in checked if self._store.blobs.find(file.sha256)}
        self._check_earlier(held)
        with BlobBatch(self._store) as batch:
            description = "Importing" if keep else "Reading"
            for file in progress(self._files, description, len(self._files)):
                self._take(file, batch if keep and file.sha256 not in held else None)
        self._pages.begin()
        return held

    def _plan(self) -> Plan:
        """Read all pages, and compare the archive with the store."""
        pins = self._here.pins()
        changes: list[Change] = [*self._here.owner_changes(), *pins.changes]
        for carried, page in self._pages.read():
            if self._here.is_newer(carried):
                key = self._here.key(carried.source)
                change = self._here.page_change(carried, moved(page, carried.source, key))
                changes += [change] if change is not None else []
        return Plan(
            tuple(dict.fromkeys(changes)),
            [page for page in self.manifest.pages if self._here.is_newer(page)],
            pins.new,
            pins.withheld,
        )

    def _check_earlier(self, held: set[str]) -> None:
        """Refuse an archive whose earlier archive was not imported."""
        names = {pin.sha256: pin.filename for pin in self.manifest.pins}
        missing = [
            names.get(file.sha256, file.sha256)
            for file in self.manifest.files
            if not file.here and file.sha256 not in held
        ]
        missing += [
            f"the page of {page.project}"
            for page in self.manifest.pages
            if not page.here and not self._has(page)
        ]
        if missing:
            raise self._archive.error(
                f"it adds to an earlier one, of which {missing[0]} is not here"
                + (f", and {len(missing) - 1:,} more" if missing[1:] else ""),
                "import that one first, or export without --since",
            )

    def _has(self, page: CarriedPage) -> bool:
        facts = self._here.facts(page)
        is_same = facts is not None and facts.digest == page.sha256[:_DIGEST]
        return is_same or not self._here.is_newer(page)

    def _take(self, file: CarriedFile, batch: BlobBatch | None) -> None:
        pieces = self._archive.member(file.member, file.size, file.sha256)
        if batch is not None:
            batch.add(pieces, file.sha256)
            return
        for _ in pieces:
            pass

    def _read_objects(self) -> Iterator[tuple[CarriedProvenance, bytes]]:
        """Read and check the provenance objects, which come after the pages."""
        return read_objects(self._archive, self.manifest.provenance)

    def _merge(self, plan: Plan, left: frozenset[str]) -> None:
        """Merge all records but those of the projects that are ``left``: owners, pins, pages."""
        record_owners(self._store, plan.changes, left, self._archive.path.name)
        now = time.time()
        for index in self.manifest.indexes:
            names = list(self._here.names(index))
            taken = [name for name in names if name.project not in left]
            # An empty list is no knowledge of an index's names.
            is_list = any(name.listed is not None for name in names)
            fetched = min(index.fetched, now) if index.fetched and is_list else None
            self._store.ledger.merge(self._here.key(index.url), taken, fetched)
        self._store.pins.merge(pin for pin in plan.pins if pin.project not in left)
        for carried, page in self._pages.read():
            if carried.project not in left and self._here.is_newer(carried):
                key = self._here.key(carried.source)
                self._store.pages.put(key, moved(page, carried.source, key), _facts(carried))
        merge_objects(self._store, self._here, self._read_objects(), left)
        for carried in plan.pages:
            if not carried.here and carried.project not in left:
                key = self._here.key(carried.source)
                self._store.pages.confirm(key, carried.project, _facts(carried))


def _facts(carried: CarriedPage) -> PageFacts:
    """Return the facts of a page, with no time in the future (from a clock that ran ahead)."""
    now = time.time()
    return PageFacts(
        Validators(carried.etag, carried.modified),
        carried.sha256[:_DIGEST],
        min(carried.checked, now),
        min(carried.resolved, now),
        carried.passed,
    )


def import_archive(
    store: Store,
    path: Path,
    chain: Sequence[Index],
    keys: Mapping[str, str],
    limit: int,
    *,
    consent: Consent = no_changes,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> Imported:
    """Merge the archive at ``path`` into ``store``, as `Import` does.

    Raises `CarryError`, OSError and sqlite3.Error. Stored files are kept for the next try.
    """
    with path.open("rb") as file:
        importing = Import(store, Archive(path, file), chain, keys)
        return importing.run(limit, consent, progress, dry_run=dry_run)
