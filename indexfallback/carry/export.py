"""Writes the cached pages and files of selected projects into one archive.

The same store gives the same bytes.
"""

import hashlib
import logging
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from indexfallback.carry.archive import MANIFEST, PIECE, write_end, write_member
from indexfallback.carry.atomic import remove_abandoned, replacing
from indexfallback.carry.manifest import (
    CarriedFile,
    CarriedIndex,
    CarriedName,
    CarriedPage,
    CarriedPin,
    Known,
    Manifest,
    objects_here,
    pages_here,
    write_manifest,
)
from indexfallback.carry.page_check import is_possible, moved
from indexfallback.carry.progress import Progress, no_progress
from indexfallback.carry.provenance import kept_objects
from indexfallback.config import Index
from indexfallback.errors import CarryError
from indexfallback.store import Blob, Store, inventory

log = logging.getLogger("indexfallback")


def export(
    store: Store,
    indexes: Sequence[Index],
    projects: Collection[str],
    path: Path,
    *,
    known: Known,
    progress: Progress = no_progress,
) -> Manifest:
    """Write the pages and files of ``projects`` from these indexes to ``path``.

    ``known`` is the content of earlier archives, which is left out. Returns the manifest. Raises
    `CarryError` and OSError, and leaves ``path`` unchanged then.
    """
    remove_abandoned(path.absolute().parent, [path.name])
    with tempfile.TemporaryFile(dir=path.absolute().parent) as bodies, replacing(path) as file:
        # Pages are read once, because they may change while files are written.
        pages = tuple(_pages(store, indexes, projects, known, bodies))
        objects = tuple(kept_objects(store, indexes, projects, bodies))
        pins = tuple(_pins(store, projects))
        manifest = Manifest(
            indexes=tuple(_index(store, index) for index in {i.key: i for i in indexes}.values()),
            pins=pins,
            files=tuple(_files(store, {pin.sha256 for pin in pins}, known, progress)),
            pages=pages,
            provenance=objects,
        )
        data = write_manifest(manifest)
        write_member(file, MANIFEST, len(data), [data])
        here = [held for held in manifest.files if held.here]
        for held in progress(here, "Exporting", len(here)):
            write_member(file, held.member, held.size, _bytes(store, held))
        bodies.seek(0)
        for page in pages_here(pages):
            write_member(file, page.member, page.size, [bodies.read(page.size)])
        for each in objects_here(objects):
            write_member(file, each.member, each.size, [bodies.read(each.size)])
        write_end(file)
    return manifest


def _index(store: Store, index: Index) -> CarriedIndex:
    if not index.is_private:
        return CarriedIndex(name=index.name, url=index.key, role=index.role)
    names = store.ledger.name_list(index.key)
    return CarriedIndex(
        name=index.name,
        url=index.key,
        role=index.role,
        fetched=names.fetched if names is not None else None,
        names=tuple(CarriedName(*seen) for seen in store.ledger.owned(index.key)),
    )


def _pins(store: Store, projects: Collection[str]) -> Iterator[CarriedPin]:
    for pin in store.pins:
        if pin.project in projects:
            yield CarriedPin(*pin)


def _files(
    store: Store, wanted: set[str], known: Known, progress: Progress
) -> Iterator[CarriedFile]:
    # Files of earlier archives are listed only while they are cached here.
    held = sorted(store.blobs.records.held(wanted))
    for sha256 in progress(held, "Checking", len(held)):
        blob = store.blobs.find(sha256)
        if blob is not None:
            here = sha256 not in known.files
            yield CarriedFile(sha256=sha256, size=blob.size, here=here)


def _pages(
    store: Store,
    indexes: Sequence[Index],
    projects: Collection[str],
    known: Known,
    bodies: BinaryIO,
) -> Iterator[CarriedPage]:
    """Yield the pages; write each new content once to ``bodies``."""
    roles = {index.key: index.role for index in indexes}
    written: set[str] = set()
    for held in inventory.all_pages(store):
        if held.source not in roles or held.project not in projects:
            continue
        page = store.pages.load(held.source, held.project)
        facts = store.pages.facts(held.source, held.project)
        if page is None or facts is None:  # damaged (and logged), or removed meanwhile
            continue
        page = moved(page, held.source, held.source)
        if not is_possible(page, held.source, public=roles[held.source] != "private"):
            message = "the page of %s from %s is left out: it links to other files of this machine"
            log.warning(message, held.project, held.source)
            continue
        body = msgspec.msgpack.encode(page)
        sha256 = hashlib.sha256(body).hexdigest()
        here = (held.source, held.project, sha256) not in known.pages
        if here and sha256 not in written:
            bodies.write(body)
            written.add(sha256)
        yield CarriedPage(
            source=held.source,
            project=held.project,
            sha256=sha256,
            size=len(body),
            checked=facts.checked,
            resolved=facts.resolved,
            passed=facts.passed,
            etag=facts.validators.etag,
            modified=facts.validators.last_modified,
            here=here,
        )


def _bytes(store: Store, file: CarriedFile) -> Iterator[bytes]:
    blob = Blob(file.sha256, store.blobs.path(file.sha256), file.size)
    try:
        yield from store.blobs.read(blob, 0, blob.size, PIECE)
    except OSError as error:
        raise CarryError(
            str(blob.path),
            f"cannot be exported ({error})",
            "run again: damaged files are left out then",
        ) from error
