"""What is done to single files and directories on the disk."""

import ctypes
import hashlib
import logging
import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

from indexfallback.names import is_sha256

log = logging.getLogger("indexfallback.store")

#: Pieces that a file is hashed in, bytes.
_PIECE = 1 << 20


def hash_file(path: Path) -> str:
    """Return a file's sha256 in hexadecimal; raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def is_right(path: Path) -> bool:
    """Tell whether a file's sha256 is its name."""
    try:
        return is_sha256(path.name) and hash_file(path) == path.name
    except OSError as error:  # not a file, or a disk that cannot be read
        log.warning("%s: cannot be read (%s)", path, error.strerror)
        return False


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable; raises OSError."""
    # Windows has no such call, and its rename is durable with the file system's journal.
    if os.name == "posix":
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def sync_files(directory: Path, paths: Iterable[Path]) -> None:
    """Make many files below a directory durable; raises OSError."""
    if not _sync_all(directory):
        for path in paths:
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def sync_directories(directories: Collection[Path]) -> None:
    """Make the names in many directories of one file system durable; raises OSError."""
    if directories and not _sync_all(next(iter(directories))):
        for directory in directories:
            sync_directory(directory)


def _sync_all(directory: Path) -> bool:
    """Make a whole file system durable, in the time of a few files; raises OSError.

    False where the system cannot do that.
    """
    if sys.platform != "linux":
        return False
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(fd) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(directory))
    finally:
        os.close(fd)
    return True
