"""Keeps the search index up to date, in the background.

What it reads: the metadata files, documents and distributions that the cache holds, and the newest
file of each project in a local directory. It never asks an index.

Locks: the condition ``_turn`` guards ``_thread``, ``_asked`` and ``_done``; there is no I/O under
it. The thread alone uses ``_scanned``.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from os import stat
from pathlib import Path
from typing import TypeVar

from packaging.version import Version

from indexfallback.config import Index, Settings
from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.sdist import find_pkg_info
from indexfallback.dists.wheel import read_wheel_metadata
from indexfallback.names import METADATA_ENDING, is_distribution, version_in
from indexfallback.process.pauses import PAUSE, in_pieces
from indexfallback.search.described import Said, age, said_by_document, said_by_metadata
from indexfallback.store import Store, best_effort
from indexfallback.store.documents import DocumentKey
from indexfallback.store.pins import Pin
from indexfallback.store.search_index import Described
from indexfallback.store.statements import Ordered
from indexfallback.upstream.facts import stamp_of
from indexfallback.upstream.roots import path_of
from indexfallback.upstream.scan import DirectoryListing, scan

log = logging.getLogger("indexfallback")

T = TypeVar("T")

#: Wait after metadata has come, seconds: an install has the machine for itself meanwhile.
DELAY = 10.0
#: Wait after each project, seconds, while nobody waits: that takes a third of one core.
_PAUSE = 0.005
#: Longest wait for the thread's end, seconds: it may be reading a directory on a slow disk.
_END_SECONDS = 5.0
#: Projects described in one transaction: some 300 ms of work, with pauses.
_BATCH = 50
_DOCUMENTS = Ordered(
    "SELECT source, project, version FROM document"
    " WHERE (source, project, version) > (?, ?, ?) ORDER BY 1, 2, 3 LIMIT ?",
    (0, 1, 2),
)


class Filling:
    """Describes projects in a thread of its own, which `close` ends."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._directories = [index for index in settings.every_index if index.is_directory]
        self._store = store
        self._index = store.search
        self._closing = threading.Event()
        #: Set while somebody waits for what was asked last.
        self._hurry = threading.Event()
        self._turn = threading.Condition()
        self._thread: threading.Thread | None = None
        #: The number of times that this was asked for, and how many of them are done.
        self._asked = self._done = 0
        #: Until when somebody waits, on the monotonic clock.
        self._awaited = 0.0
        #: Key of a directory to what was in it when its projects were last described.
        self._scanned: dict[str, DirectoryListing] = {}

    def follow(self) -> None:
        """Start by itself when metadata comes: in a server, whose searches are then complete."""
        self._index.on_note = self._start

    def update(self, seconds: float) -> bool:
        """Describe what is not yet, and return whether that was done within some seconds."""
        self._awaited = time.monotonic() + seconds
        with self._turn:
            number = self._ask()
            self._hurry.set()
            return self._turn.wait_for(lambda: self._done >= number, seconds)

    def close(self) -> None:
        """End the thread, and keep the notes for the next process."""
        self._closing.set()
        self._hurry.set()
        with self._turn:
            thread = self._thread
        if thread is not None:
            thread.join(_END_SECONDS)
        self._index.write_notes()

    def _start(self) -> None:
        with self._turn:
            self._ask()

    def _ask(self) -> int:
        self._asked += 1
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(target=self._run, name="describe", daemon=True)
            self._thread.start()
        return self._asked

    def _run(self) -> None:
        while True:
            self._hurry.wait(DELAY)
            with self._turn:
                self._hurry.clear()
                asked, is_done = self._asked, False
            try:
                with best_effort("describe projects for the search"):
                    self._fill()
                    is_done = not self._closing.is_set()
            finally:
                is_last = self._end(asked, is_done=is_done)
            if is_last:
                return

    def _end(self, asked: int, *, is_done: bool) -> bool:
        """Tell those who wait that their number is done; return whether the thread ends."""
        with self._turn:
            if is_done:
                self._done = asked
                self._turn.notify_all()
            if not is_done or asked == self._asked:
                self._thread = None
            return self._thread is None

    def _fill(self) -> None:
        self._index.write_notes()
        self._mark_all()
        for index in self._directories:
            with best_effort(f"describe the projects of {index.name}"):
                self._describe_directory(index)
        while not self._closing.is_set() and (due := self._index.due(_BATCH)):
            described = {key: self._described(*key) for key in self._paced(due)}
            found = [each for each in described.values() if each is not None]
            self._index.put(found, [key for key, each in described.items() if each is None])

    def _paced(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items until the end of this process, with pauses in which others work."""
        for item in items:
            is_awaited = time.monotonic() < self._awaited
            if self._closing.wait(PAUSE if is_awaited else _PAUSE):
                return
            yield item

    def _mark_all(self) -> None:
        """Mark all that the cache holds, if the search index is new."""
        if self._index.is_filled():
            return
        self._scanned.clear()
        documents = chain.from_iterable(self._store.database.pieces(_DOCUMENTS))
        pins = (pin for pin in self._store.pins if is_read(pin.filename))
        held = chain(map(itemgetter(0, 1), documents), ((pin.source, pin.project) for pin in pins))
        for piece in in_pieces(key for key, _ in groupby(held)):
            if self._closing.is_set():
                return
            self._index.mark(piece)
        self._index.set_filled()

    def _described(self, source: str, project: str) -> Described | None:
        """Return what is held of a project that an index has, or None."""
        said = [*self._said_by_documents(source, project), self._said_by_files(source, project)]
        known = [each for each in said if each is not None]
        if not known:
            return None
        return _described(source, project, max(known, key=lambda each: age(each.version)))

    def _said_by_documents(self, source: str, project: str) -> Iterator[Said | None]:
        """Yield what is said by the document of the project, and by that of its newest version."""
        documents = self._store.documents
        ordered = sorted(documents.versions(source, project), key=age)
        for version in {*ordered[-1:], *(v for v in ordered if not v)}:
            document = documents.load(DocumentKey(source, project, version))
            yield said_by_document(document.body) if document is not None else None

    def _said_by_files(self, source: str, project: str) -> Said | None:
        """Return what the newest version says of which metadata is held."""
        pins = chain.from_iterable(self._store.pins.of_project(project).values())
        own = [pin for pin in pins if pin.source == source and is_read(pin.filename)]
        for pin in _newest_first(own, project):
            metadata = self._metadata(pin)
            said = said_by_metadata(metadata) if metadata is not None else None
            if said is not None:
                return said
        return None

    def _metadata(self, pin: Pin) -> bytes | None:
        blobs = self._store.blobs
        blob = blobs.find(pin.sha256) if pin.sha256 in blobs.usable([pin.sha256]) else None
        if blob is None:
            return None
        try:
            if not pin.filename.endswith(METADATA_ENDING):
                return _metadata_in(blob.path, pin.filename)
            return b"".join(blobs.read(blob, 0, blob.size))
        except OSError as error:  # evicted or damaged: another version may be readable
            log.info("%s cannot be read for the search: %s", pin.filename, error)
            return None

    def _describe_directory(self, index: Index) -> None:
        """Describe the projects of a directory whose newest files have changed."""
        before = self._scanned.get(index.key)
        listing = scan(path_of(index.url), before, self._store.local_files)
        if listing is before:
            return
        known = self._index.stamps(index.key) if before is None else {}
        changed = (
            (project, paths)
            for project, paths in listing.projects.items()
            if before is None or before.projects.get(project) != paths
        )
        for piece in in_pieces(changed, _BATCH):
            found = [_described_by_path(index.key, *each, known) for each in self._paced(piece)]
            self._index.put(each for each in found if each is not None)
            if self._closing.is_set():
                return
        self._scanned[index.key] = listing


def _described_by_path(
    source: str, project: str, paths: Iterable[str], known: dict[str, str]
) -> Described | None:
    """Return what the newest file of a project says; None if nothing, or if it is known already."""
    by_name = {Path(path).name: path for path in paths}
    pins = [Pin(project, name, "", "", 0.0, source) for name in by_name if is_read(name)]
    for pin in _newest_first(pins, project):
        path = by_name[pin.filename]
        try:
            size, modified = stamp_of(stat(path))  # noqa: PTH116 - as `scan` does
            stamp = f"{pin.filename} {size} {modified}"
            if known.get(project) == stamp:
                return None
            metadata = _metadata_in(Path(path), pin.filename)
        except OSError as error:  # removed since, or unreadable, which its page reports
            log.info("%s cannot be read for the search: %s", path, error)
            continue
        said = said_by_metadata(metadata) if metadata is not None else None
        if said is not None:
            return _described(source, project, said, stamp)
    return None


def _metadata_in(path: Path, filename: str) -> bytes | None:
    """Return the metadata in a distribution, also that of an sdist which a build may change."""
    try:
        if filename.endswith(".whl"):
            return read_wheel_metadata(path, filename)
        return find_pkg_info(path)
    except ArchiveError:  # damaged, or of another format
        return None


def is_read(filename: str) -> bool:
    """Tell whether a file of this name may have metadata."""
    return filename.endswith(METADATA_ENDING) or is_distribution(filename)


def _newest_first(pins: list[Pin], project: str) -> Iterator[Pin]:
    """Yield files, the newest version first, of each version the quickest to read first."""

    def order(pin: Pin) -> tuple[tuple[bool, bool, Version], bool, bool]:
        listed = pin.filename.removesuffix(METADATA_ENDING)
        is_metadata = listed != pin.filename
        return age(version_in(listed, project) or ""), is_metadata, listed.endswith(".whl")

    yield from sorted(pins, key=order, reverse=True)


def _described(source: str, project: str, said: Said, stamp: str = "") -> Described:
    return Described(
        source,
        project,
        said.version,
        said.name,
        said.summary,
        said.keywords,
        said.classifiers,
        stamp,
    )
