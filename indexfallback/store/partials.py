"""Partial files: files that are being written, or were when a process ended.

A file whose sha256 is known is named ``<sha256>.<random>`` and is resumable: if its writer fails or
is killed, the next one continues it. A lock on the open file admits one writer at a time.
"""

import contextlib
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from indexfallback.store.disk import make_private
from indexfallback.store.locks import lock_descriptor

#: A partial file without a write for this long is abandoned, seconds: a day.
PARTIAL_SECONDS = 86400.0
#: One that no writer can continue (it is empty, or its sha256 is not known) is abandoned after an
#: hour.
USELESS_SECONDS = 3600.0
#: The directory is tidied at most this often, seconds: 1,000 files take 5 ms.
TIDY_SECONDS = 60.0
#: Its size is measured this often, since it counts towards the limit, seconds.
LOOK_SECONDS = 1.0

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

    def __init__(self, directory: Path, most: int = sys.maxsize) -> None:
        """Keep at most ``most`` bytes in files that have no writer."""
        self.directory = directory
        self._most = most
        self._tidied = float("-inf")
        self._looked = float("-inf")
        self._bytes = 0

    def new(self) -> Path:
        """Return an unused path; raises OSError if the directory, removed, cannot be made."""
        self._make()
        return self.directory / uuid.uuid4().hex

    def _make(self) -> None:
        if not self.directory.exists():
            make_private(self.directory)

    def open(self, sha256: str | None) -> Partial:
        """Open the largest partial file of the same sha256, or a new one; raises OSError."""
        if time.monotonic() > self._tidied + TIDY_SECONDS:
            self.tidy()
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

    def tidy(self) -> int:
        """Remove abandoned files, and the oldest ones of too many; return their number.

        Raises OSError.
        """
        self._tidied = time.monotonic()
        now = time.time()
        found = sorted(self._found(), key=lambda file: file.written)
        kept = [file for file in found if not _is_removed(file, now)]
        # Those that are being written are not counted: a large one would take the place of all.
        left = sum(file.size for file in kept if now - file.written > TIDY_SECONDS)
        for file in list(kept):
            if left <= self._most:
                break
            partial = _take(file.path)
            if partial is not None:
                partial.path.unlink(missing_ok=True)
                os.close(partial.fd)
                kept.remove(file)
                left -= file.size
        self._note(sum(file.size for file in kept))
        return len(found) - len(kept)

    def size(self) -> tuple[int, int]:
        """Return the number of files and their bytes now; raises OSError."""
        sizes = [file.size for file in self._found()]
        self._note(sum(sizes))
        return len(sizes), self._bytes

    def recent_bytes(self) -> int:
        """Return the bytes of all files now or a second ago; raises OSError."""
        if time.monotonic() > self._looked + LOOK_SECONDS:
            self.size()
        return self._bytes

    def add_bytes(self, size: int) -> None:
        """Count bytes just written; the next measurement corrects what two threads at once lose."""
        self._bytes += size

    def _note(self, size: int) -> None:
        self._looked, self._bytes = time.monotonic(), size

    def _found(self) -> "Iterator[_Found]":
        with contextlib.ExitStack() as stack:
            try:
                entries = stack.enter_context(os.scandir(self.directory))
            except (FileNotFoundError, NotADirectoryError):
                return  # it is made again with the next file, or a cache is read that has none
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # completed or removed meanwhile
                    status = entry.stat(follow_symlinks=False)
                    yield _Found(Path(entry.path), status.st_size, status.st_mtime)

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


class _Found(NamedTuple):
    """A file in the directory. ``written`` is in seconds since the epoch."""

    path: Path
    size: int
    written: float

    def is_abandoned(self, now: float) -> bool:
        is_useful = self.size and "." in self.path.name
        return now - self.written > (PARTIAL_SECONDS if is_useful else USELESS_SECONDS)


def _is_removed(file: _Found, now: float) -> bool:
    """Remove a file that is abandoned, or empty without a writer; return whether it was removed."""
    if file.is_abandoned(now):
        return _remove(file.path)
    if file.size or now - file.written < TIDY_SECONDS:  # a new one is about to be locked
        return False
    partial = _take(file.path)
    if partial is None:
        return False
    is_empty = not partial.size
    os.close(partial.fd)
    return is_empty and _remove(file.path)


def _remove(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):  # completed in the meantime
        path.unlink()
        return True
    return False


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
