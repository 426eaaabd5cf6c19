"""Fetches the selected files into the store, several at once."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from indexfallback.delivery import deliver
from indexfallback.errors import FileRefusedError
from indexfallback.files.download import FileAddress
from indexfallback.flight import start
from indexfallback.names import METADATA_ENDING, FileKey
from indexfallback.page import File
from indexfallback.shim import Shim
from indexfallback.wanted import Pin

T = TypeVar("T")
V = TypeVar("V")

#: Parallel requests: fewer fill the line to one fast index, and more would crowd it.
_AT_ONCE = 8
_HASH_PIECE = 1 << 20


@dataclass(frozen=True)
class SelectedFile:
    """A file to fetch."""

    pin: Pin
    file: File
    #: The name of the index whose page lists it.
    index: str
    #: The first part of its address: its index, or the public index of the group.
    owner: str


@dataclass(frozen=True)
class FetchedFile:
    """A file that is stored, or in a dry run would be."""

    project: str
    version: str
    filename: str
    sha256: str
    size: int
    #: The index that it was, or would be, fetched from.
    index: str
    #: Whether this run has fetched it, or would.
    is_new: bool
    #: None in a dry run, if it is not stored.
    path: Path | None


class Progress(Protocol):
    """Shows the progress of a run; called from any thread."""

    def step(self, text: str) -> None:
        """Show a step that takes a while."""

    def expect(self, files: int, size: int) -> None:
        """Add files and their bytes to the totals."""

    def advance(self, size: int) -> None:
        """Count received bytes of an expected file."""

    def finish(self, name: str) -> None:
        """Count a file as finished, fetched or failed."""


def in_parallel(
    items: Iterable[T], work: Callable[[T], V], name: str
) -> Iterator[tuple[T, "Future[V]"]]:
    """Do ``work`` for each item, `_AT_ONCE` at a time; yield each item with its finished future.

    The threads are daemons, so that Ctrl-C does not wait for them.
    """
    running: dict[Future[V], T] = {}
    waiting = iter(items)
    while True:
        for item in waiting:
            running[start(partial(work, item), name)] = item
            if len(running) >= _AT_ONCE:
                break
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield running.pop(future), future


def fetch_file(shim: Shim, selected: SelectedFile, began: float, progress: Progress) -> FetchedFile:
    """Fetch a file and its metadata; raises `IndexFallbackError`.

    ``began`` is the start of the run, seconds since the epoch: files written later are new.
    """
    pin, file = selected.pin, selected.file
    key = FileKey(pin.project, file.sha256)
    counted, expected = 0, file.size

    def report(received: int, total: int | None) -> None:
        nonlocal counted, expected
        if expected is None and total is not None:  # HTML pages state no sizes
            progress.expect(0, total)
            expected = total
        progress.advance(received - counted)
        counted = received

    address = FileAddress(selected.owner, key, file.filename)
    blob = deliver(shim, address, report)
    if blob.path.stat().st_mtime >= began:
        report(blob.size, blob.size)
    _check(blob.path, pin, file)
    if file.core_metadata is not False:
        deliver(shim, FileAddress(selected.owner, key, file.filename + METADATA_ENDING))
    shim.downloads.provenance.keep(address, file)
    seen = shim.store.pins.find(pin.project, file.filename, file.sha256 or "")
    source = seen.source if seen is not None else ""
    names = {member.index.key: member.index.name for member in shim.members}
    return FetchedFile(
        pin.project,
        pin.version,
        file.filename,
        blob.sha256,
        blob.size,
        names.get(source, selected.index),
        blob.path.stat().st_mtime >= began,
        blob.path,
    )


def planned_file(shim: Shim, selected: SelectedFile) -> FetchedFile:
    """Return a file for a dry run: stored already, or to be fetched."""
    pin, file = selected.pin, selected.file
    sha256 = file.sha256 or shim.store.pins.get(pin.project, file.filename) or ""
    blob = shim.store.blobs.find(sha256)
    size = blob.size if blob is not None else file.size or 0
    path = blob.path if blob is not None else None
    return FetchedFile(
        pin.project, pin.version, file.filename, sha256, size, selected.index, path is None, path
    )


def _check(path: Path, pin: Pin, file: File) -> None:
    """Refuse a file with none of the pin's hashes, if its page states none of them."""
    if not pin.hashes or not pin.hashes.isdisjoint(f"{k}:{v}" for k, v in file.hashes.items()):
        return
    kinds = {each.partition(":")[0] for each in pin.hashes}
    digests = {kind: hashlib.new(kind) for kind in kinds.intersection(hashlib.algorithms_available)}
    with path.open("rb") as opened:
        while piece := opened.read(_HASH_PIECE):
            for digest in digests.values():
                digest.update(piece)
    have = {f"{kind}:{digest.hexdigest()}" for kind, digest in digests.items()}
    if have.isdisjoint(pin.hashes):
        cause = f"{pin.origin} requires another hash than {', '.join(sorted(have))}"
        remedy = "Find out which one is right before you install it."
        raise FileRefusedError(file.filename, cause, remedy)
