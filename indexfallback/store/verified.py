"""The files that this process has hashed and found right.

Locks: ``_lock`` guards the table.
"""

import threading

#: Files remembered; a sha256 takes about 200 bytes, so 2 MB at most.
_MOST = 10_000


class VerifiedFiles:
    """Names of right files, by sha256; the oldest is forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._right: dict[str, None] = {}

    def __contains__(self, sha256: str) -> bool:
        with self._lock:
            return sha256 in self._right

    def add(self, sha256: str) -> None:
        """Remember a file as right."""
        with self._lock:
            self._right[sha256] = None
            if len(self._right) > _MOST:
                del self._right[next(iter(self._right))]

    def discard(self, sha256: str) -> None:
        """Forget a file."""
        with self._lock:
            self._right.pop(sha256, None)
