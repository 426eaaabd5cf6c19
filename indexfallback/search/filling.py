"""Keeps the search index up to date, in the background.

What it reads: the metadata files, documents and distributions that the cache holds, and the newest
files of each project in one's own directories and buckets (`own_files`). It asks no other index.

Of a project with a cooldown only what is offered is described, so far as stored pages tell it.

Locks: the condition ``_turn`` guards ``_thread``, ``_asked`` and ``_done``; there is no I/O under
it. The thread alone uses ``_own`` and changes ``_failed``.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from itertools import groupby
from typing import TypeVar

from indexfallback.chain.cooling import Cooling
from indexfallback.chain.members import Members
from indexfallback.config import Index, Settings
from indexfallback.process.pauses import PAUSE, in_pieces
from indexfallback.search.directory_files import DirectoryFiles
from indexfallback.search.held import Held
from indexfallback.search.offering import Offering
from indexfallback.search.own_files import OwnIndex, OwnProject, described_by_files
from indexfallback.store import Store, best_effort
from indexfallback.store.search_index import Described

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
#: Wait before an index of one's own that has failed is asked again for one project, seconds.
_LATER = 600.0


class Filling:
    """Describes projects in a thread of its own, which `close` ends."""

    def __init__(
        self, settings: Settings, store: Store, members: Members, cooling: Cooling
    ) -> None:
        self._settings = settings
        self._store = store
        self._index = store.search
        self._members = members
        self._offering = Offering(settings, store, cooling)
        self._cached = Held(store, self._offering)
        self._closing = threading.Event()
        #: Set while somebody waits for what was asked last.
        self._hurry = threading.Event()
        self._turn = threading.Condition()
        self._thread: threading.Thread | None = None
        #: The number of times that this was asked for, and how many of them are done.
        self._asked = self._done = 0
        #: Until when somebody waits, on the monotonic clock.
        self._awaited = 0.0
        #: The keys of one's own indexes that could not be read when they were listed last.
        self._failed: set[str] = set()

    def follow(self) -> None:
        """Start by itself when metadata comes: in a server, whose searches are then complete.

        What one's own indexes have is described from the start. A shim for one command, of which a
        company runs thousands, leaves all of it to another process.
        """
        if self._settings.for_one_command:
            return
        self._index.on_note = self._start
        if any(index.is_read_each_time for index in self._settings.every_index):
            self._start()

    @cached_property
    def _own(self) -> dict[str, OwnIndex]:
        """One's own indexes by their key, opened by the thread: buckets need slow imports."""
        opened = (
            _open_own(index, self._settings, self._store) for index in self._settings.every_index
        )
        return {own.index.key: own for own in opened if own is not None}

    def update(self, seconds: float) -> bool:
        """Describe what is due, and return whether all was done within some seconds."""
        self._awaited = time.monotonic() + seconds
        with self._turn:
            number = self._ask()
            self._hurry.set()
            is_done = self._turn.wait_for(lambda: self._done >= number, seconds)
        return is_done and not self._failed

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
        with best_effort("read which releases are accepted"):
            self._index.set_accepted(self._offering.accepted())
        while not self._closing.is_set() and (due := self._index.due(_BATCH)):
            self._describe_due(due)
        # Last: a bucket may take long to fail.
        for own in self._own.values():
            with best_effort(f"describe the projects of {own.index.name}"):
                self._describe_own(own)

    def _describe_due(self, due: Iterable[tuple[str, str]]) -> None:
        found: list[Described] = []
        gone: list[tuple[str, str]] = []
        late: list[tuple[str, str]] = []
        failed: set[str] = set()
        for source, project in self._paced(due):
            if source in failed:
                late.append((source, project))
                continue
            try:
                described = self._described(source, project)
            except OSError as error:
                log.info("%s cannot be described for the search: %s", project, error)
                failed.add(source)
                late.append((source, project))
                continue
            if described is not None:
                found.append(described)
            else:
                gone.append((source, project))
        self._index.put(found, gone)
        self._index.postpone(late, time.time() + _LATER)

    def _described(self, source: str, project: str) -> Described | None:
        """Return what is known of a project that an index has, or None; raises OSError."""
        own = self._own.get(source)
        if own is None:
            return self._cached.described(source, project)
        if held := self._held(own):
            raise OSError(f"{own.index.name}: {held}")
        found = own.project(project)
        return described_by_files(own.index, found, self._offering) if found is not None else None

    def _held(self, own: OwnIndex) -> str:
        """Return why an index must not be asked now, or an empty text."""
        return self._members[own.index.name].held(time.monotonic())

    def _paced(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items until the end of this process, with pauses in which others work."""
        for item in items:
            if self._pause():
                return
            yield item

    def _pause(self) -> bool:
        """Let others work for a moment; return whether this process ends."""
        is_awaited = time.monotonic() < self._awaited
        return self._closing.wait(PAUSE if is_awaited else _PAUSE)

    def _mark_all(self) -> None:
        """Mark all that the cache holds, if the search index is new or the cooldowns differ."""
        rules = self._offering.rules
        if self._index.is_filled(rules):
            return
        for own in self._own.values():
            own.forget()
        for piece in in_pieces(key for key, _ in groupby(self._cached.projects())):
            if self._closing.is_set():
                return
            self._index.mark(piece)
        self._index.set_filled(rules)

    def _describe_own(self, own: OwnIndex) -> None:
        """Describe the projects of an index of one's own that have changed."""
        try:
            listed = own.listed() if not self._held(own) else None
            if listed is None:
                return
            self._describe_changed(own, listed)
            self._failed.discard(own.index.key)
        except OSError as error:
            log.info("%s cannot be read for the search: %s", own.index.name, error)
            self._failed.add(own.index.key)

    def _described_in_turn(self, own: OwnIndex, project: OwnProject) -> Described | None:
        """Return what the files of a project say, None if this process ends; raises OSError."""
        if self._pause():
            return None
        return described_by_files(own.index, project, self._offering)

    def _describe_changed(self, own: OwnIndex, listed: Iterator[OwnProject]) -> None:
        key = own.index.key
        known, names = self._index.stamps(key), set[str]()

        def changed() -> Iterator[OwnProject]:
            for each in listed:
                names.add(each.name)
                if each.stamp is not None and each.stamp != known.get(each.name):
                    yield each

        with ThreadPoolExecutor(own.at_once, "describe") as pool:
            describe = partial(self._described_in_turn, own)
            for piece in in_pieces(changed(), _BATCH):
                self._index.put([each for each in pool.map(describe, piece) if each is not None])
                if self._closing.is_set():
                    return
        self._index.put([], [(key, name) for name in known.keys() - names])
        own.keep()


def _open_own(index: Index, settings: Settings, store: Store) -> OwnIndex | None:
    """Return an index as the search reads it; None for one behind HTTP. This reads nothing."""
    if index.is_directory:
        return DirectoryFiles(index, store.local_files, settings.page_size)
    if index.is_bucket:
        # It needs the client of the object store, which most users do not have.
        from indexfallback.search.bucket_files import BucketFiles  # noqa: PLC0415

        return BucketFiles(index)
    return None
