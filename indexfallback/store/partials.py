"""Files that are being written, and those that a process left in the middle.

One whose sha256 is known is called ``<sha256>.<random>`` and stays when its writer is killed or
fails: the next one goes on with it. A lock on the open file keeps two from writing the same one.
"""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from indexfallback.store.locks import lock_descriptor

#: A partial file that nobody wrote to for this long is given up, seconds: a day.
PARTIAL_SECONDS = 86400.0

_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0)
_NEW = _FLAGS | os.O_CREAT | os.O_EXCL
_OLD = _FLAGS | getattr(os, "O_NOFOLLOW", 0)


class Partial(NamedTuple):
    """An open file that is being written."""

    path: Path
    fd: int
    #: Bytes that somebody else has left in it.
    size: int
    #: Whether it is locked, and to stay when its writer ends.
    stays: bool


class Partials:
    """The directory of files that are being written."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def new(self) -> Path:
        """Return a new name."""
        return self.directory / uuid.uuid4().hex

    def open(self, sha256: str | None) -> Partial:
        """Open a file to write: the largest that was left of the same bytes, or a new one.

        Raises OSError.
        """
        if sha256 is None:
            path = self.new()
            return Partial(path, os.open(path, _NEW, 0o600), 0, stays=False)
        for left in self._left(sha256):
            os.utime(left.path)  # it has an owner again
            return left
        path = self.directory / f"{sha256}.{uuid.uuid4().hex}"
        fd = os.open(path, _NEW, 0o600)
        return Partial(path, fd, 0, stays=lock_descriptor(fd))

    def remove(self, sha256: str) -> None:
        """Remove what was left of a file that is whole elsewhere."""
        for left in self._left(sha256):
            left.path.unlink(missing_ok=True)
            os.close(left.fd)

    def remove_abandoned(self) -> int:
        """Remove files without an owner; return how many."""
        now = time.time()
        removed = 0
        for path in self.directory.iterdir():
            with contextlib.suppress(FileNotFoundError):  # finished or removed meanwhile
                if now - path.stat().st_mtime > PARTIAL_SECONDS:
                    path.unlink()
                    removed += 1
        return removed

    def _left(self, sha256: str) -> Iterator[Partial]:
        """Yield, locked, what was left of a file by those who write no longer, largest first.

        Empty files are passed over: their makers may be about to lock them.
        """
        sizes = {path: _size(path) for path in self.directory.glob(f"{sha256}.*")}
        for path in sorted(sizes, key=sizes.__getitem__, reverse=True):
            left = _take(path) if sizes[path] else None
            if left is not None:
                yield left


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # finished or removed meanwhile
        return 0


def _take(path: Path) -> Partial | None:
    try:
        fd = os.open(path, _OLD)
    except OSError:  # finished or removed meanwhile, or not readable: there is nothing to take
        return None
    if lock_descriptor(fd):
        # Who had the lock until now may have made it a blob, which is not to be written to.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(fd), path.lstat()):
                return Partial(path, fd, os.fstat(fd).st_size, stays=True)
    os.close(fd)
    return None
