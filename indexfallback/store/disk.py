"""Operations on files and directories: hashing, and syncing to disk."""

import ctypes
import hashlib
import logging
import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

from indexfallback.names import is_sha256

log = logging.getLogger("indexfallback.store")

#: Read size for hashing, bytes.
_PIECE = 1 << 20


def make_private(directory: Path) -> None:
    """Make a directory and its parents, each that is missing with mode 0700; raises OSError."""
    # One by one: mkdir(parents=True) would not set the mode of the parents.
    for path in (*reversed(directory.parents), directory):
        if not path.is_dir():  # where a file is in the way, this raises an error
            path.mkdir(exist_ok=True, mode=0o700)


def hash_file(path: Path) -> str:
    """Return a file's sha256 in hexadecimal; raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def is_intact(path: Path) -> bool:
    """Tell whether a blob's sha256 is its name."""
    try:
        return is_sha256(path.name) and hash_file(path) == path.name
    except OSError as error:  # not a file, or the disk is unreadable
        log.warning("%s: cannot be read (%s)", path, error.strerror)
        return False


def sync_directory(path: Path) -> None:
    """Sync the entries of a directory to disk; raises OSError."""
    # Windows has no such call; the journal of its file system makes a rename durable.
    if os.name == "posix":
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def sync_files(directory: Path, paths: Iterable[Path]) -> None:
    """Sync many files below a directory to disk; raises OSError."""
    if not _sync_all(directory):
        for path in paths:
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def sync_directories(directories: Collection[Path]) -> None:
    """Sync the entries of directories in one file system to disk; raises OSError."""
    if directories and not _sync_all(next(iter(directories))):
        for directory in directories:
            sync_directory(directory)


def _sync_all(directory: Path) -> bool:
    """Sync a whole file system, in the time of a few files; raises OSError.

    Returns False if the operating system cannot do that.
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
