"""The files that this process has verified.

Locks: ``_lock`` guards the table.
"""

import threading

#: Most entries, of about 200 bytes each: 2 MB.
_MOST = 10_000


class VerifiedFiles:
    """The sha256 of verified files; the oldest is removed first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sha256s: dict[str, None] = {}

    def __contains__(self, sha256: str) -> bool:
        with self._lock:
            return sha256 in self._sha256s

    def add(self, sha256: str) -> None:
        """Add a verified file."""
        with self._lock:
            self._sha256s[sha256] = None
            if len(self._sha256s) > _MOST:
                del self._sha256s[next(iter(self._sha256s))]

    def discard(self, sha256: str) -> None:
        """Remove a file."""
        with self._lock:
            self._sha256s.pop(sha256, None)
