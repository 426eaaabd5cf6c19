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
from indexfallback.store.locks import unlock_descriptor
from indexfallback.store.partials import Partial, Partials

log = logging.getLogger("indexfallback.store")

_PIECE = 1 << 20


class Spool:
    """Bytes on their way into the store, or through a temporary file if that cannot be written.

    With a sha256 it begins with what an earlier spool for the same bytes has left, and leaves
    its own. Other files are removed, unless they became a blob, when the last holder lets go.
    """

    def __init__(self, blobs: Blobs, sha256: str | None = None) -> None:
        self._blobs = blobs
        self._lock = threading.Lock()
        self._is_temporary = False
        try:
            self._file = self._own(blobs.partials.open(sha256))
        except OSError as error:
            self._file = self._move(error)
        self._size = self._file.size

    @property
    def path(self) -> Path:
        """Where the bytes lie now; a full disk has them moved."""
        return self._file.path

    @property
    def size(self) -> int:
        """The bytes that are there."""
        return self._size

    def _own(self, file: Partial) -> Partial:
        finalizer = weakref.finalize(self, _discard, file, is_temporary=self._is_temporary)
        finalizer.atexit = not file.stays
        return file

    def _move(self, error: OSError) -> Partial:
        """Go on in the system's temporary directory; raises OSError if that is no better."""
        directory = Path(tempfile.mkdtemp(prefix="indexfallback-"))
        log.warning(
            "%s: cannot be written (%s); the file is passed on without being kept: free space",
            self._blobs.partials.directory, error.strerror,
        )  # fmt: skip
        self._is_temporary = True
        return self._own(Partials(directory).open(None))

    def write(self, piece: bytes) -> None:
        """Append bytes; raises OSError if neither the store nor the temporary directory can."""
        try:
            self._write_at(self._file.fd, piece, self._size)
        except OSError as error:
            if self._is_temporary:
                raise
            file = self._move(error)
            for offset in range(0, self._size, _PIECE):
                part = self.read(offset, min(_PIECE, self._size - offset))
                self._write_at(file.fd, part, offset)
            self._write_at(file.fd, piece, self._size)
            self.drop()
            self._file = file  # readers in the middle of a read still use the one before
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
            return os.pread(self._file.fd, size, offset)
        with self._lock:
            os.lseek(self._file.fd, offset, os.SEEK_SET)
            return os.read(self._file.fd, size)

    def clear(self) -> None:
        """Start over with nothing."""
        os.ftruncate(self._file.fd, 0)
        self._size = 0

    def drop(self) -> None:
        """Leave nothing for others to go on with; what is there can still be read."""
        with contextlib.suppress(OSError):  # an open file on Windows, removed in the end
            self._file.path.unlink()

    def release(self) -> None:
        """Write no more: others may go on with what is there at once."""
        if not self._size:
            self.drop()
        elif self._file.stays:
            unlock_descriptor(self._file.fd)

    def keep(self, sha256: str) -> Blob | None:
        """Make the verified bytes a blob, if they lie in the store; raises OSError."""
        if self._is_temporary:
            return None
        return self._blobs.commit(self._file.path, self._file.fd, sha256, self._size)


def _discard(file: Partial, *, is_temporary: bool) -> None:
    leave = file.stays and os.fstat(file.fd).st_size
    os.close(file.fd)
    if not leave:
        with contextlib.suppress(OSError):  # became a blob, or somebody cleaned up
            file.path.unlink()
            if is_temporary:
                file.path.parent.rmdir()
