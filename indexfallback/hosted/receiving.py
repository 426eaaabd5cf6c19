"""Files on their way into a hosted index: written beside the others, hidden, then linked.

They lie in the index's own directory, since a link works within one file system only, under a
name that no scan takes for a distribution. Their writers hold a lock on them: one without it was
left by a process that was killed, and is removed by the next upload.
"""

import contextlib
import errno
import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexfallback.errors import UploadFailedError
from indexfallback.store.disk import sync_directory
from indexfallback.store.locks import lock_descriptor

_PREFIX = ".upload-"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
#: What others may do with a hosted file is for the user's umask to say, as with a copied one.
_MODE = 0o666
_BLAKE2_256 = 32
#: What file systems without hard links answer, as on memory sticks.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
#: Between the making of a file and its lock lies a moment; seconds.
_NEW_SECONDS = 60.0


class Incoming:
    """A file that is being received."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.size = 0
        self._fd = fd
        self._hashes: dict[str, Any] = {
            "sha256": hashlib.sha256(),
            "md5": hashlib.md5(usedforsecurity=False),
            "blake2_256": hashlib.blake2b(digest_size=_BLAKE2_256),
        }

    def write(self, piece: bytes) -> None:
        """Add bytes to its end; raises OSError."""
        for digest in self._hashes.values():
            digest.update(piece)
        self.size += len(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self._fd, view) :]

    @property
    def digests(self) -> dict[str, str]:
        """Algorithm to hexadecimal digest of what was written."""
        return {name: digest.hexdigest() for name, digest in self._hashes.items()}

    def place(self, filename: str) -> Path:
        """Give it its name, durably; raises FileExistsError if there is one of that name."""
        path = self.path.with_name(filename)
        os.fsync(self._fd)
        try:
            os.link(self.path, path)  # which, unlike a rename, never overwrites
            self.path.unlink()
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if path.exists():  # and nobody else of us places one now: see `Shelf`
                raise FileExistsError from error
            self.path.rename(path)
        sync_directory(path.parent)
        return path


@contextmanager
def receiving(directory: Path) -> Iterator[Incoming]:
    """Give an empty file in a directory; whatever happens, only what was placed stays.

    Raises:
        UploadFailedError: the directory cannot be written.

    """
    path = directory / f"{_PREFIX}{uuid.uuid4().hex}"
    try:
        remove_abandoned(directory)
        fd = os.open(path, _FLAGS, _MODE)
    except OSError as error:
        raise failed(directory.name, error) from error
    try:
        lock_descriptor(fd)
        yield Incoming(path, fd)
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)


def remove_abandoned(directory: Path) -> None:
    """Remove what processes that were killed have left; raises OSError."""
    for path in directory.glob(f"{_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # placed or removed meanwhile
            status = path.stat()
            if not status.st_size and time.time() - status.st_mtime < _NEW_SECONDS:
                continue  # its maker may be about to lock it
            fd = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                if lock_descriptor(fd):
                    path.unlink(missing_ok=True)
            finally:
                os.close(fd)


def failed(filename: str, error: OSError) -> UploadFailedError:
    """Return the error of a directory that could not be written."""
    return UploadFailedError(
        filename,
        f"it could not be written ({error.strerror or error})",
        "Look at the index's directory and its disk, then upload it again",
    )
