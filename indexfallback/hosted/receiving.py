"""Files that are being uploaded: written as hidden files, then linked to their names.

They are in the directory of the index, because a hard link needs one file system, and have names
that no scan takes for distributions. The writer holds a lock on its file. A file without a lock
was left by a process that was killed; the next upload removes it.
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
#: The user's umask restricts it, as for any new file.
_MODE = 0o666
_BLAKE2_256 = 32
#: Errors of file systems without hard links, such as FAT.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
#: Seconds: an empty file that is newer may not be locked yet.
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
        """Append bytes; raises OSError."""
        for digest in self._hashes.values():
            digest.update(piece)
        self.size += len(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self._fd, view) :]

    @property
    def digests(self) -> dict[str, str]:
        """Hexadecimal digests of the content, by algorithm."""
        return {name: digest.hexdigest() for name, digest in self._hashes.items()}

    def place(self, filename: str) -> Path:
        """Sync the file and give it its name; raises FileExistsError if the name is taken."""
        path = self.path.with_name(filename)
        os.fsync(self._fd)
        try:
            os.link(self.path, path)  # unlike a rename, it never overwrites
            self.path.unlink()
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if path.exists():  # no race: `HostedIndex` places one file at a time
                raise FileExistsError from error
            self.path.rename(path)
        sync_directory(path.parent)
        return path

    def replace(self, filename: str) -> None:
        """Sync the file and give it its name, in place of an earlier file; raises OSError."""
        path = self.path.with_name(filename)
        os.fsync(self._fd)
        self.path.replace(path)
        sync_directory(path.parent)


@contextmanager
def receiving(directory: Path) -> Iterator[Incoming]:
    """Yield an empty file in a directory; it is removed unless it was placed.

    Raises:
        UploadFailedError: the directory cannot be written.

    """
    path = directory / f"{_PREFIX}{uuid.uuid4().hex}"
    try:
        remove_abandoned(directory)
        fd = os.open(path, _FLAGS, _MODE)
    except OSError as error:
        raise failed(str(directory), error) from error
    try:
        lock_descriptor(fd)
        yield Incoming(path, fd)
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)


def remove_abandoned(directory: Path) -> None:
    """Remove the files of processes that were killed; raises OSError."""
    for path in directory.glob(f"{_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # placed or removed meanwhile
            status = path.stat()
            if not status.st_size and time.time() - status.st_mtime < _NEW_SECONDS:
                continue  # its writer may not have locked it yet
            fd = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                if lock_descriptor(fd):
                    path.unlink(missing_ok=True)
            finally:
                os.close(fd)


def unrecorded(filename: str, error: Exception) -> UploadFailedError:
    """Return the error for a change of a file that could not be recorded."""
    return UploadFailedError(
        filename,
        f"the change cannot be recorded ({error})",
        "Make the state directory of indexfallback writable, free space on its disk, and try again",
    )


def failed(filename: str, error: OSError, what: str = "written") -> UploadFailedError:
    """Return the error for a file that could not be written, or ``what`` else."""
    return UploadFailedError(
        filename,
        f"it could not be {what} ({error.strerror or error})",
        "Make the directory of the index (of the cache, for a bucket) exist and writable, free "
        "space on its disk, and try again",
    )
