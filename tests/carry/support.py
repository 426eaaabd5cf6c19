"""Stores to carry from and to, in this process."""

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from indexfallback.carry.export import export
from indexfallback.carry.imports import Imported, import_archive
from indexfallback.carry.manifest import Known, Manifest
from indexfallback.carry.selection import select
from indexfallback.config import Index
from indexfallback.page import File, ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.page_rows import digest_of
from tests.fakes import Dist, wheel

PRIVATE = Index(name="private", url="https://packages.example.com/simple/")
PYPI = Index(name="pypi", url="https://pypi.example.com/simple/", role="public")
CHAIN = (PRIVATE, PYPI)
#: A store of 1 GB.
LIMIT = 10**9
#: When the pages of these tests were confirmed: a day ago, in whole seconds.
THEN = float(int(time.time()) - 86400)
APP = wheel("acme-app", "1.4")
OLD, NEW = wheel("idna", "3.9"), wheel("idna", "3.10")


def file_of(dist: Dist, host: str = "https://files.example.com", **more: object) -> File:
    """Return a file as a page lists it."""
    url = f"{host}/{dist.filename}"
    return File(filename=dist.filename, url=url, hashes={"sha256": dist.sha256}, **more)  # type: ignore[arg-type]


def keep_page(
    store: Store, index: Index, project: str, *files: File, checked: float = THEN
) -> ProjectPage:
    """Keep a page of an index as it would be after it was asked for."""
    page = ProjectPage(name=project, files=files)
    facts = PageFacts(Validators('"etag"', None), digest_of(page), checked, checked, "walk")
    store.pages.put(index.key, page, facts)
    if index.is_private:
        store.ledger.record_page(index.key, project)
    return page


def keep_file(store: Store, index: Index, dist: Dist) -> None:
    """Keep a file as it would be after it was fetched."""
    store.blobs.add(dist.data)
    store.pins.record(dist.project, dist.filename, dist.sha256, index.key, key=dist.sha256)


def fill(store: Store) -> None:
    """Keep what somebody has who installed ``acme-app`` and the newer ``idna``."""
    keep_page(store, PRIVATE, "acme-app", file_of(APP))
    store.ledger.record_list(PRIVATE.key, ["acme-app", "acme-core"])
    keep_page(store, PYPI, "idna", file_of(OLD), file_of(NEW))
    keep_file(store, PRIVATE, APP)
    keep_file(store, PYPI, NEW)


def write(
    store: Store,
    path: Path,
    *patterns: str,
    known: Known = Known(),  # noqa: B008 - frozen
    chain: Sequence[Index] = CHAIN,
) -> Manifest:
    """Export to a file."""
    selection = select(store, patterns or ("*",), dependencies=True)
    return export(store, chain, selection.projects, path, known=known)


def read(
    store: Store,
    path: Path,
    keys: Mapping[str, str] | None = None,
    *,
    chain: Sequence[Index] = CHAIN,
    **how: Any,
) -> Imported:
    """Import a file."""
    return import_archive(store, path, chain, keys or {}, LIMIT, **how)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def rewrite(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change an archive's members as `tar` would."""
    with tarfile.open(path) as tar:
        members = {
            info.name: file.read() for info in tar if (file := tar.extractfile(info)) is not None
        }
    change(members)
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def with_manifest(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change an archive's manifest."""

    def alter(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        members["manifest.json"] = json.dumps(manifest).encode()

    rewrite(path, alter)
