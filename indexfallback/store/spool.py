"""Spooled files: one thread writes while others read, even if the disk of the store is full.

Locks: ``_lock`` guards the file position on systems without positioned reads (Windows).
"""

import contextlib
import logging
import os
import tempfile
import threading
import weakref
from pathlib import Path

from indexfallback.process.machine import fault_of
from indexfallback.store.best_effort import best_effort
from indexfallback.store.blobs import Blob, Blobs
from indexfallback.store.locks import unlock_descriptor
from indexfallback.store.partials import Partial, Partials

log = logging.getLogger("indexfallback.store")

_PIECE = 1 << 20
#: Space is freed each time after so many bytes; to read the total takes 50 us.
_ROOM_EACH = 1 << 20


class Spool:
    """A partial file of the store, or a temporary file if the store cannot be written.

    With a sha256, it continues an earlier partial file, and is resumable itself. Otherwise the file
    is removed with the last reference to the spool, unless it was committed.
    """

    def __init__(self, blobs: Blobs, sha256: str | None = None) -> None:
        self._blobs = blobs
        self._lock = threading.Lock()
        self._is_temporary = False
        try:
            self._file = self._own(blobs.partials.open(sha256))
        except OSError as error:
            if fault_of(error) is not None:  # no other directory would help
                raise
            self._file = self._move(error)
        self._size = self._file.size
        #: The size for which space was freed.
        self._room = self._size

    @property
    def path(self) -> Path:
        """The current path, which changes if the disk is full."""
        return self._file.path

    @property
    def size(self) -> int:
        """The number of bytes written."""
        return self._size

    def _own(self, file: Partial) -> Partial:
        finalizer = weakref.finalize(self, _discard, file, is_temporary=self._is_temporary)
        finalizer.atexit = not file.is_resumable
        return file

    def _move(self, error: OSError) -> Partial:
        """Continue in the system's temporary directory; raises OSError if that fails, too."""
        directory = Path(tempfile.mkdtemp(prefix="indexfallback-"))
        log.warning(
            "%s: cannot be written (%s); the file is served without being stored: free space",
            self._blobs.partials.directory, error.strerror,
        )  # fmt: skip
        self._is_temporary = True
        return self._own(Partials(directory).open(None))

    def write(self, piece: bytes) -> None:
        """Append bytes; raises OSError if the temporary directory cannot be written, either."""
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
            self._file = file  # a concurrent read uses the previous one
        self._size += len(piece)
        if not self._is_temporary and self._size - self._room >= _ROOM_EACH:
            with best_effort("make room in the cache"):
                self._blobs.eviction.make_room(self._size - self._room)
            self._room = self._size

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
        """Remove all bytes."""
        os.ftruncate(self._file.fd, 0)
        self._size = self._room = 0

    def drop(self) -> None:
        """Remove the file, so no other spool continues it; it can still be read."""
        with contextlib.suppress(OSError):  # an open file on Windows, which is removed later
            self._file.path.unlink()

    def release(self) -> None:
        """End writing: another spool may continue the file at once."""
        if not self._size:
            self.drop()
        elif self._file.is_resumable:
            unlock_descriptor(self._file.fd)

    def commit(self, sha256: str) -> Blob | None:
        """Store the verified bytes, unless the file is temporary; raises OSError."""
        if self._is_temporary:
            return None
        blob = self._blobs.commit(self._file.path, self._file.fd, sha256, self._size)
        if self._file.is_resumable:
            self._blobs.partials.remove(sha256)
        return blob


def _discard(file: Partial, *, is_temporary: bool) -> None:
    is_kept = file.is_resumable and os.fstat(file.fd).st_size
    os.close(file.fd)
    if not is_kept:
        with contextlib.suppress(OSError):  # committed or removed in the meantime
            file.path.unlink()
            if is_temporary:
                file.path.parent.rmdir()
