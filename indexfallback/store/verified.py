"""The files that this process has verified."""

from indexfallback.memory.table import Table


class VerifiedFiles:
    """The sha256 of verified files; the one used longest ago is removed first."""

    def __init__(self) -> None:
        self._sha256s: Table[str, None] = Table("store.verified.VerifiedFiles._sha256s")

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._sha256s

    def add(self, sha256: str) -> None:
        """Add a verified file."""
        self._sha256s.put(sha256, None)

    def discard(self, sha256: str) -> None:
        """Remove a file."""
        self._sha256s.remove(sha256)
