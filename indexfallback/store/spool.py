"""A file that one thread writes while any number read it, and that survives a full disk.

Locks: ``_lock`` guards the file position where the system has no positioned reads (Windows).
"""

import contextlib
import logging
import os
import tempfile
import threading
import weakref
from pathlib import Path

from indexfallback.store.blobs import Blob, Blobs

log = logging.getLogger("indexfallback.store")

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_PIECE = 1 << 20


class Spool:
    """Bytes on their way into the store, or through a temporary file if that cannot be written.

    Its files are closed, and removed unless they became a blob, when the last holder lets go.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._lock = threading.Lock()
        self._size = 0
        self._path, self._kept = blobs.new_partial(), True
        try:
            self._fd = self._open(self._path)
        except OSError as error:
            self._fd = self._move(error)

    def _open(self, path: Path) -> int:
        fd = os.open(path, _FLAGS, 0o600)
        weakref.finalize(self, _discard, fd, path)
        return fd

    def _move(self, error: OSError) -> int:
        """Go on in the system's temporary directory; raises OSError if that is no better."""
        log.warning(
            "%s: cannot be written (%s); the file is passed on without being kept: free space",
            self._path.parent, error.strerror,
        )  # fmt: skip
        self._path = Path(tempfile.mkdtemp(prefix="indexfallback-")) / "file"
        self._kept = False
        return self._open(self._path)

    def write(self, piece: bytes) -> None:
        """Append bytes; raises OSError if neither the store nor the temporary directory can."""
        try:
            self._write_at(self._fd, piece, self._size)
        except OSError as error:
            if not self._kept:
                raise
            fd = self._move(error)
            for offset in range(0, self._size, _PIECE):
                self._write_at(fd, self.read(offset, min(_PIECE, self._size - offset)), offset)
            self._write_at(fd, piece, self._size)
            self._fd = fd  # readers in the middle of a read still use the one before
        self._size += len(piece)

    def _write_at(self, fd: int, piece: bytes, offset: int) -> None:
        view = memoryview(piece)
        with self._lock:
            os.lseek(fd, offset, os.SEEK_SET)
            while view:
                view = view[os.write(fd, view) :]

    def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``; raises OSError."""
        if hasattr(os, "pread"):
            return os.pread(self._fd, size, offset)
        with self._lock:
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.read(self._fd, size)

    def clear(self) -> None:
        """Start over with nothing."""
        os.ftruncate(self._fd, 0)
        self._size = 0

    def keep(self, sha256: str) -> Blob | None:
        """Make the verified bytes a blob, if they lie in the store; raises OSError."""
        if not self._kept:
            return None
        return self._blobs.commit(self._path, self._fd, sha256, self._size)


def _discard(fd: int, path: Path) -> None:
    os.close(fd)
    with contextlib.suppress(OSError):  # became a blob, or somebody cleaned up
        path.unlink()
        if path.name == "file":
            path.parent.rmdir()
