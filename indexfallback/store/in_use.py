"""The files that are being read, which are not evicted meanwhile.

Locks: ``FilesInUse._lock`` guards ``_reading``; there is no I/O under it.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator


class FilesInUse:
    """How often each file is being read in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading: Counter[str] = Counter()

    def __contains__(self, sha256: str) -> bool:
        with self._lock:
            return sha256 in self._reading

    @contextlib.contextmanager
    def reading(self, sha256: str) -> Iterator[None]:
        """Count a file as being read."""
        with self._lock:
            self._reading[sha256] += 1
        try:
            yield
        finally:
            with self._lock:
                self._reading[sha256] -= 1
                if not self._reading[sha256]:
                    del self._reading[sha256]
