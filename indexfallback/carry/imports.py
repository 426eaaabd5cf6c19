"""Checks an archive to its last byte, and then merges it into the store.

Verified files are stored at once. Pages, pins and owners are merged after everything was checked,
owners first, so that a page is never stored before its owner. An import never removes or replaces
newer records, so it can be repeated, interrupted, and run twice at once.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from indexfallback.carry.archive import Archive
from indexfallback.carry.blob_batch import BlobBatch
from indexfallback.carry.manifest import CarriedFile, CarriedPage, pages_here
from indexfallback.carry.page_check import is_possible, moved
from indexfallback.carry.progress import Progress, no_progress
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.ledger import Seen
from indexfallback.store.pins import Pin
from indexfallback.words import size

#: The length of a page's digest (`store.pages.digest_of`) in hexadecimal digits.
_DIGEST = 32

_decoder = msgspec.msgpack.Decoder(ProjectPage)


class Imported(NamedTuple):
    """The result of an import."""

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
    changed: list[str]


class Import:
    """Imports one archive into a store."""

    def __init__(self, store: Store, archive: Archive, keys: Mapping[str, str]) -> None:
        """Read the manifest; raises `CarryError`.

        ``keys`` maps the address of an index in the archive to its address here, if that differs.
        """
        self._store = store
        self._archive = archive
        self.manifest = archive.manifest()
        self._keys = keys
        self._roles = {index.url: index.role for index in self.manifest.indexes}
        self._files = [file for file in self.manifest.files if file.here]
        #: The sha256 of a content to the pages that have it.
        self._pages: defaultdict[str, list[CarriedPage]] = defaultdict(list)
        for page in self.manifest.pages:
            self._pages[page.sha256].append(page)

    def run(self, limit: int, progress: Progress) -> Imported:
        """Check and merge the archive into a store of at most ``limit`` bytes."""
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
            for file in progress(self._files, "Importing", len(self._files)):
                self._take(file, held, batch)
        begins = archive.tell()
        pages = pages_here(manifest.pages)
        for page in pages:
            self._read(page)
        archive.end()
        changed = self._merge_records()
        archive.seek(begins)
        merged = sum(self._merge_page(page, self._read(page)) for page in pages)
        merged += sum(self._confirm(page) for page in manifest.pages if not page.here)
        new = [each for each in manifest.files if each.sha256 not in held]
        return Imported(
            len(manifest.projects),
            len(new),
            sum(each.size for each in new),
            len(held),
            merged,
            len(manifest.pages) - merged,
            len(manifest.pins),
            [pin.filename for pin in changed],
        )

    def _key(self, source: str) -> str:
        return self._keys.get(source, source)

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

    def _facts(self, page: CarriedPage) -> PageFacts | None:
        return self._store.pages.facts(self._key(page.source), page.project)

    def _has(self, page: CarriedPage) -> bool:
        facts = self._facts(page)
        return facts is not None and (
            facts.digest == page.sha256[:_DIGEST] or facts.checked >= page.checked
        )

    def _take(self, file: CarriedFile, held: Collection[str], batch: BlobBatch) -> None:
        pieces = self._archive.member(file.member, file.size, file.sha256)
        if file.sha256 in held:
            for _ in pieces:
                pass
            return
        batch.add(pieces, file.sha256)

    def _read(self, carried: CarriedPage) -> ProjectPage:
        """Read the next page; raises `CarryError` if its index cannot have such a page."""
        body = b"".join(self._archive.member(carried.member, carried.size, carried.sha256))
        try:
            page = _decoder.decode(body)
        except msgspec.DecodeError as error:
            raise self._archive.error(
                f"the page of {carried.project} is damaged ({error})"
            ) from error
        for each in self._pages[carried.sha256]:
            public = self._roles[each.source] != "private"
            if page.name != each.project or not is_possible(page, each.source, public=public):
                raise self._archive.error(
                    f"the page of {each.project} cannot be from {each.source}"
                )
        return page

    def _merge_records(self) -> list[Pin]:
        """Merge owners and pins; return the pins that differ here."""
        now = time.time()
        for index in self.manifest.indexes:
            seen = (Seen(*msgspec.structs.astuple(name)) for name in index.names)
            fetched = index.fetched and min(index.fetched, now)
            self._store.ledger.merge(self._key(index.url), seen, fetched)
        return self._store.pins.merge(
            Pin(pin.project, pin.filename, pin.sha256, min(pin.seen, now), self._key(pin.source))
            for pin in self.manifest.pins
        )

    def _merge_page(self, carried: CarriedPage, page: ProjectPage) -> int:
        """Store a page for each of its indexes, unless a newer one is cached; return how many."""
        merged = 0
        for each in self._pages[carried.sha256]:
            before = self._facts(each)
            if each.here and (before is None or before.checked < each.checked):
                key = self._key(each.source)
                self._store.pages.put(key, moved(page, each.source, key), _facts(each))
                merged += 1
        return merged

    def _confirm(self, carried: CarriedPage) -> int:
        """Record a later confirmation of a page of an earlier archive; return 1, or 0 if none."""
        before = self._facts(carried)
        if before is None or before.checked >= carried.checked:
            return 0
        self._store.pages.confirm(self._key(carried.source), carried.project, _facts(carried))
        return 1


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
    store: Store, path: Path, keys: Mapping[str, str], limit: int, progress: Progress = no_progress
) -> Imported:
    """Merge the archive at ``path`` into ``store``, as `Import` does.

    Raises `CarryError`, OSError and sqlite3.Error. Stored files are kept for the next try.
    """
    with path.open("rb") as file:
        return Import(store, Archive(path, file), keys).run(limit, progress)
