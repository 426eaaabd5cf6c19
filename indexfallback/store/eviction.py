"""Eviction: the least recently used files make room when the cache exceeds its limit.

Few files are removed at once, by the thread that has stored one; more by a thread in the
background.
"""

import itertools
import logging
from collections.abc import Callable, Iterator

from indexfallback.store.background import Background
from indexfallback.store.blob_records import EVICTED_AT_ONCE, BlobRecords
from indexfallback.store.in_use import FilesInUse
from indexfallback.store.partials import Partials

log = logging.getLogger("indexfallback.store")

#: Eviction stops at this share of the limit, rather than run again for the next file.
EVICT_TO = 0.9
#: Wait between two transactions in the background, seconds.
_PAUSE = 0.001


class Eviction:
    """Keeps the files of one directory below a limit."""

    def __init__(
        self,
        records: BlobRecords,
        partials: Partials,
        limit: int,
        *,
        in_use: FilesInUse,
        remove: Callable[[str], None],
    ) -> None:
        """Keep to ``limit`` bytes.

        Files that are ``in_use`` stay; ``remove`` removes a file whose record is gone.
        """
        #: The most bytes of all files together.
        self.limit = limit
        self._records = records
        self._partials = partials
        self._in_use = in_use
        self._remove = remove
        self._background = Background("evict", "evict files", self._evict_all)

    def used(self) -> int:
        """Return the bytes that count towards the limit: stored and partial files."""
        return self._records.total() + self._partials.recent_bytes()

    def make_room(self, written: int = 0) -> None:
        """Evict a few files if the limit is exceeded, and more in the background.

        ``written`` bytes have just been added to a partial file.
        """
        self._partials.add_bytes(written)
        if self._background.is_running or self.used() <= self.limit:
            return
        if not self._evict_some():
            self._background.start()

    def evict(self, target: int | None = None) -> list[str]:
        """Remove the least recently used files down to ``target`` bytes, by default the limit.

        Files that are mirrored or being read are not removed. Returns the sha256 of the removed.
        """
        if target is None:
            self._partials.tidy()
            if self.used() <= self.limit:
                return []
            target = self._goal
        return list(self._evicted(target))

    def close(self) -> None:
        """End what runs in the background."""
        self._background.close()

    @property
    def _goal(self) -> int:
        return int(self.limit * EVICT_TO)

    def _evict_some(self) -> bool:
        """Evict a few files; return whether that was enough."""
        evicted = self._evicted(self._goal)
        return len(list(itertools.islice(evicted, EVICTED_AT_ONCE))) < EVICTED_AT_ONCE

    def _evict_all(self) -> None:
        for number, _ in enumerate(self._evicted(self._goal), 1):
            # The lock of the writers is not fair: others must come between two transactions.
            if number % EVICTED_AT_ONCE == 0 and self._background.closing.wait(_PAUSE):
                break

    def _evicted(self, goal: int) -> Iterator[str]:
        """Evict files down to a goal, and yield the sha256 of each."""
        self._records.flush()
        count, excess = 0, self.used() - goal
        for batch in self._records.evictable():
            chosen: list[str] = []
            for sha256, size in batch:
                if excess > 0 and sha256 not in self._in_use:
                    chosen.append(sha256)
                    excess -= size
            self._records.remove(chosen)
            for sha256 in chosen:
                self._remove(sha256)
            count += len(chosen)
            yield from chosen
            if excess <= 0:
                break
        if count:
            log.info("the cache exceeds its limit: %d least recently used files removed", count)
