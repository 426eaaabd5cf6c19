"""The quarantine: damaged files, kept for an examination of the cause."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from indexfallback.store.disk import make_private


class Quarantine:
    """A directory of damaged files, created with the first one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def take(self, path: Path) -> None:
        """Move a file here; it may have been moved by another process."""
        make_private(self._directory)
        with contextlib.suppress(FileNotFoundError):
            path.replace(self._directory / path.name)

    def count(self) -> int:
        """Return the number of files."""
        return sum(1 for _ in self._paths())

    def empty(self) -> int:
        """Remove all files; return their number."""
        paths = list(self._paths())
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    def _paths(self) -> Iterator[Path]:
        return self._directory.glob("*")
