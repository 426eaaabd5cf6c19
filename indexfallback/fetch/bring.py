"""Bringing: pages and files into the store, several at once."""

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

#: So many at once: one index on a fast line is used up by fewer, and is not to be crowded.
AT_ONCE = 8
_HASH_PIECE = 1 << 20


@dataclass(frozen=True)
class Choice:
    """A file that is to be brought."""

    pin: Pin
    file: File
    #: The name of the index whose page lists it.
    index: str
    #: The first part of its address: the index, or the public one of its group.
    owner: str


@dataclass(frozen=True)
class Brought:
    """A file that is here, or, of a dry run, would be."""

    project: str
    version: str
    filename: str
    sha256: str
    size: int
    #: The index that it came from, or would come from.
    index: str
    #: Whether it came in this run, and was not here before.
    is_new: bool
    #: None in a dry run, where it is not here.
    path: Path | None


class Watch(Protocol):
    """Who is told how far it is; called from any thread."""

    def step(self, text: str) -> None:
        """Begin something that takes a while."""

    def expect(self, files: int, size: int) -> None:
        """Know of so many more files, of so many bytes together."""

    def advance(self, size: int) -> None:
        """Count bytes that have come of an expected file."""

    def arrived(self, name: str) -> None:
        """Count a file as done with, be it here or not to be had."""


def side_by_side(
    items: Iterable[T], work: Callable[[T], V], name: str
) -> Iterator[tuple[T, "Future[V]"]]:
    """Do ``work`` for each item, `AT_ONCE` at a time; yield each with its result as it is done.

    The threads are daemons: Ctrl-C waits for none of them.
    """
    running: dict[Future[V], T] = {}
    waiting = iter(items)
    while True:
        for item in waiting:
            running[start(partial(work, item), name)] = item
            if len(running) >= AT_ONCE:
                break
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield running.pop(future), future


def bring(shim: Shim, choice: Choice, began: float, watch: Watch) -> Brought:
    """Bring a file and its metadata; raises `IndexFallbackError`.

    ``began`` is when the run did, seconds since the epoch: what was written later is new.
    """
    pin, file = choice.pin, choice.file
    key = FileKey(pin.project, file.sha256)
    counted, expected = 0, file.size

    def report(received: int, total: int | None) -> None:
        nonlocal counted, expected
        if expected is None and total is not None:  # its page, as HTML, says nothing of sizes
            watch.expect(0, total)
            expected = total
        watch.advance(received - counted)
        counted = received

    blob = deliver(shim, FileAddress(choice.owner, key, file.filename), report)
    if blob.path.stat().st_mtime >= began:
        report(blob.size, blob.size)
    _check(blob.path, pin, file)
    if file.core_metadata is not False:
        deliver(shim, FileAddress(choice.owner, key, file.filename + METADATA_ENDING))
    seen = shim.store.pins.find(pin.project, file.filename)
    source = seen.source if seen is not None else ""
    names = {member.index.key: member.index.name for member in shim.members}
    return Brought(
        pin.project,
        pin.version,
        file.filename,
        blob.sha256,
        blob.size,
        names.get(source, choice.index),
        blob.path.stat().st_mtime >= began,
        blob.path,
    )


def found(shim: Shim, choice: Choice) -> Brought:
    """Return a file as a dry run has it: here already, or to be fetched."""
    pin, file = choice.pin, choice.file
    sha256 = file.sha256 or shim.store.pins.get(pin.project, file.filename) or ""
    blob = shim.store.blobs.find(sha256)
    size = blob.size if blob is not None else file.size or 0
    path = blob.path if blob is not None else None
    return Brought(
        pin.project, pin.version, file.filename, sha256, size, choice.index, path is None, path
    )


def _check(path: Path, pin: Pin, file: File) -> None:
    """Refuse a file that has none of the pin's hashes, of which its page said nothing."""
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
        cause = f"its hash is none that {pin.origin} asks for, but {', '.join(sorted(have))}"
        remedy = "Find out which is right before anybody installs it."
        raise FileRefusedError(file.filename, cause, remedy)
