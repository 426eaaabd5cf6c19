"""Partial files: files that are being written, or were when a process ended.

A file whose sha256 is known is named ``<sha256>.<random>`` and is resumable: if its writer fails or
is killed, the next one continues it. A lock on the open file admits one writer at a time.
"""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from indexfallback.store.disk import make_private
from indexfallback.store.locks import lock_descriptor

#: A partial file without a write for this long is abandoned, seconds: a day.
PARTIAL_SECONDS = 86400.0

_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0)
_NEW = _FLAGS | os.O_CREAT | os.O_EXCL
_OLD = _FLAGS | getattr(os, "O_NOFOLLOW", 0)


class Partial(NamedTuple):
    """An open partial file."""

    path: Path
    fd: int
    #: Bytes from an earlier writer.
    size: int
    #: Whether it is locked, and the next writer may continue it.
    is_resumable: bool


class Partials:
    """The directory of partial files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def new(self) -> Path:
        """Return an unused path; raises OSError if the directory, removed, cannot be made."""
        self._make()
        return self.directory / uuid.uuid4().hex

    def _make(self) -> None:
        if not self.directory.exists():
            make_private(self.directory)

    def open(self, sha256: str | None) -> Partial:
        """Open the largest partial file of the same sha256, or a new one; raises OSError."""
        if sha256 is None:
            path = self.new()
            return Partial(path, os.open(path, _NEW, 0o600), 0, is_resumable=False)
        self._make()
        for partial in self._take_all(sha256):
            os.utime(partial.path)  # it is not abandoned
            return partial
        path = self.directory / f"{sha256}.{uuid.uuid4().hex}"
        fd = os.open(path, _NEW, 0o600)
        return Partial(path, fd, 0, is_resumable=lock_descriptor(fd))

    def remove(self, sha256: str) -> None:
        """Remove the partial files of a file that is stored."""
        for partial in self._take_all(sha256):
            partial.path.unlink(missing_ok=True)
            os.close(partial.fd)

    def remove_abandoned(self) -> int:
        """Remove abandoned files; return their number."""
        now = time.time()
        removed = 0
        for path in self.directory.iterdir():
            with contextlib.suppress(FileNotFoundError):  # completed or removed in the meantime
                if now - path.stat().st_mtime > PARTIAL_SECONDS:
                    path.unlink()
                    removed += 1
        return removed

    def _take_all(self, sha256: str) -> Iterator[Partial]:
        """Yield the partial files of a sha256 without a writer, locked, largest first.

        Empty files are skipped: their writers may be about to lock them.
        """
        # A glob would compile a pattern for each file.
        with os.scandir(self.directory) as entries:
            sizes = {e.path: _size(e) for e in entries if e.name.startswith(f"{sha256}.")}
        for path in sorted(sizes, key=sizes.__getitem__, reverse=True):
            partial = _take(Path(path)) if sizes[path] else None
            if partial is not None:
                yield partial


def _size(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # completed or removed in the meantime
        return 0


def _take(path: Path) -> Partial | None:
    try:
        fd = os.open(path, _OLD)
    except OSError:  # completed, removed or unreadable
        return None
    if lock_descriptor(fd):
        # The previous writer may have renamed it to a blob, which must not be written to.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(fd), path.lstat()):
                return Partial(path, fd, os.fstat(fd).st_size, is_resumable=True)
    os.close(fd)
    return None
