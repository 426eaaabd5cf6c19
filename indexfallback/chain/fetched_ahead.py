"""What was fetched before a client asked for it, and how much of it was used.

Locks: ``FetchedAhead._lock`` guards everything here.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

#: What is remembered as not used yet; what is dropped counts as never used.
_REMEMBERED = 10_000


@dataclass
class _Fetch:
    size: int = 0
    running: int = 0
    is_used: bool = False


class FetchedAhead:
    """Pages, by project, and files, by address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: What runs, or was not used yet.
        self._fetches: OrderedDict[Hashable, _Fetch] = OrderedDict()
        self._count = 0
        self._bytes = 0
        self._used = 0

    def begin(self, what: Hashable) -> None:
        """Note that something is being fetched; `end` must follow."""
        with self._lock:
            self._fetches.setdefault(what, _Fetch()).running += 1
            if len(self._fetches) > _REMEMBERED:
                self._fetches.popitem(last=False)

    def end(self, what: Hashable, size: int) -> None:
        """Note that a fetch has ended with ``size`` bytes from an index; 0 if it was held."""
        with self._lock:
            fetch = self._fetches.get(what, _Fetch(running=1))
            fetch.running -= 1
            fetch.size += size
            self._count += size > 0
            self._bytes += size
            self._used += size if fetch.is_used else 0
            if not fetch.running and (fetch.is_used or not fetch.size):
                self._fetches.pop(what, None)

    def claim(self, what: Hashable) -> bool:
        """Tell whether a client is the first to use what was fetched, or is being fetched."""
        if what not in self._fetches:  # nearly always, and a look-up is one step
            return False
        with self._lock:
            fetch = self._fetches.get(what)
            if fetch is None or fetch.is_used:
                return False
            fetch.is_used = True
            self._used += fetch.size
            if not fetch.running:
                del self._fetches[what]
            return True

    def report(self) -> dict[str, int]:
        """Return the number of fetches, their bytes, and how many of the bytes were used."""
        with self._lock:
            return {"fetches": self._count, "bytes": self._bytes, "used": self._used}
