"""A lock that other processes see and that dies with its holder: for a port, for a file.

The operating system drops it when the process ends, however it ends, so no lock is ever stale.
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
    """Take an open file for this descriptor alone until it is closed; tell whether that went well.

    It does not where another one has it, and never on Windows, where it would keep readers out.
    """
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # taken, or a file system without locks
        return False
    return True


def unlock_descriptor(fd: int) -> None:
    """Give an open file back that `lock_descriptor` took."""
    if sys.platform != "win32":
        fcntl.flock(fd, fcntl.LOCK_UN)


class FileLock:
    """An exclusive lock on a file, taken without waiting; child processes share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self) -> bool:
        """Take the lock and return True, or return False while another process has it.

        Raises OSError where the file cannot be made; a symbolic link is refused, since
        somebody else may have put it there.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        fd = os.open(self.path, flags, 0o600)
        try:
            if sys.platform == "win32":
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody else holds it: the answer, not a failure
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would race."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
