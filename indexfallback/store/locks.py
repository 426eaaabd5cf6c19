"""Locks between processes, on a file or an open descriptor.

The operating system releases a lock when its process ends, so there are no stale locks.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or sys.platform != "win32":
    import fcntl
else:
    import msvcrt


def lock_descriptor(fd: int) -> bool:
    """Lock an open file until its descriptor is closed; return whether this succeeded.

    False if another descriptor has the lock, and always on Windows, where readers would wait.
    """
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # taken, or a file system without locks
        return False
    return True


def unlock_descriptor(fd: int) -> None:
    """Release the lock of `lock_descriptor`."""
    if sys.platform != "win32":
        fcntl.flock(fd, fcntl.LOCK_UN)


class FileLock:
    """An exclusive lock on a file, taken without waiting; child processes share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self) -> bool:
        """Take the lock and return True, or return False if another process has it.

        Raises OSError if the file cannot be created. A symbolic link is refused: another user may
        have created it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        fd = os.open(self.path, flags, 0o600)
        try:
            if sys.platform == "win32":
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # another process has it
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Release the lock; the file is not removed, since that would be a race."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
