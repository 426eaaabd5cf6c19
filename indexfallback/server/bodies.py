"""The body of an upload, read with a limit in time.

The server's own read has no timeout: it returns when all bytes that it was asked for have come, or
the client has left. It therefore runs in a thread of its own, and the thread that answers waits for
each piece only as long as a body may take. The reading thread of a client that sends nothing ends
with the connection; until then it counts as an upload under way.

Locks: none of its own. `UploadSlots` is a semaphore; a queue joins the two threads.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

import falcon

#: Bytes of one piece.
PIECE = 64 * 1024
#: Longest wait for a piece, seconds: as for headers. A client that is slower than 7 KB/s is stuck.
PIECE_SECONDS = 10.0
#: Longest upload, seconds: 4 GB at 1.1 MB/s.
WHOLE_SECONDS = 3600.0
#: Pieces that wait to be taken.
_AHEAD = 4
#: Uploads at once: each holds two threads.
UPLOADS_AT_ONCE = 32


class Source(Protocol):
    """The body as the server gives it (``wsgi.input``)."""

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""


class UploadSlots:
    """Counts the uploads under way, so that they leave threads for everything else."""

    def __init__(self, most: int = UPLOADS_AT_ONCE) -> None:
        self._free = threading.Semaphore(most)

    def open(self, source: Source, length: int) -> "TimedBody":
        """Return a body of ``length`` bytes; raises falcon.HTTPServiceUnavailable if all are taken.

        The caller closes it.
        """
        if not self._free.acquire(blocking=False):
            raise falcon.HTTPServiceUnavailable(
                title="Too many uploads",
                description=f"{UPLOADS_AT_ONCE} uploads are under way: upload it again",
                retry_after=round(PIECE_SECONDS),
            )
        try:
            return TimedBody(source, length, self._free.release)
        except RuntimeError:  # no thread can be started
            self._free.release()
            raise


class TimedBody:
    """A body whose reads end: with bytes, or with status 408."""

    def __init__(
        self,
        source: Source,
        length: int,
        ended: Callable[[], None],
        *,
        piece_seconds: float = PIECE_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        """Read ``length`` bytes of ``source``; ``ended`` is called once nothing reads it."""
        self._source = source
        self._length = length
        self._ended = ended
        self._piece_seconds = piece_seconds
        self._ends = time.monotonic() + whole_seconds
        self._pieces: queue.Queue[bytes] = queue.Queue(_AHEAD)
        self._rest = memoryview(b"")
        self._is_closed = threading.Event()
        threading.Thread(target=self._run, name="upload-body", daemon=True).start()

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, empty at the end; raises falcon.HTTPError (408)."""
        if not self._rest:
            self._rest = memoryview(self._next())
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)

    def _next(self) -> bytes:
        seconds = min(self._piece_seconds, self._ends - time.monotonic())
        try:
            return self._pieces.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise falcon.HTTPError(
                falcon.HTTP_408,
                title="Upload too slow",
                description=f"{PIECE} bytes did not come within {self._piece_seconds:.0f} s, "
                "or the whole not within an hour: upload it over a faster connection",
            ) from None

    def close(self) -> None:
        """Stop reading, as soon as the read under way returns."""
        self._is_closed.set()

    def _run(self) -> None:
        try:
            left = self._length
            while left and not self._is_closed.is_set():
                piece = self._source.read(min(PIECE, left))
                # A client that leaves ends the body early.
                left = left - len(piece) if piece else 0
                self._put(piece)
            self._put(b"")
        finally:
            self._ended()

    def _put(self, piece: bytes) -> None:
        """Wait until there is room for a piece, or the body is closed."""
        while not self._is_closed.is_set():
            try:
                self._pieces.put(piece, timeout=1.0)
            except queue.Full:
                continue
            return
