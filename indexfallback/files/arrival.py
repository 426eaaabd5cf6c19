"""A file while it is fetched: one thread writes it, any number of readers follow.

A reader gets the right file or a connection that is cut: the last piece is held back until the
whole file is verified.

Locks: ``IncomingFile._changed`` guards the length, the progress and the count of bytes; no byte
is read or written while it is held.
"""

import threading
import time
from collections.abc import Generator
from enum import Enum

from indexfallback.errors import FileError
from indexfallback.files.failures import Failure, error_of, why
from indexfallback.outcome import Kind, Outcome
from indexfallback.store import Blob
from indexfallback.store.blobs import PIECE
from indexfallback.store.spool import Spool
from indexfallback.upstream.answers import TransferError

#: Bytes held back until the whole file is verified: the last piece.
HELD_BACK = PIECE
#: Longest wait of a reader for the next byte, seconds: longer than every limit of one source, so
#: that it only ends transfers that have already stopped.
READER_PATIENCE = 120.0
#: While bytes come, readers are woken this often, seconds: to wake a thousand of them costs 10 ms,
#: and bytes come in pieces of some KB.
WAKE_SECONDS = 0.05


class Progress(Enum):
    """The state of a transfer."""

    RUNNING = "running"
    #: Whole and verified.
    DONE = "done"
    FAILED = "failed"


class CommittedError(Exception):
    """The file must be fetched from its start, but answers have begun: they can only be cut."""


class IncomingFile:
    """One file that is being fetched."""

    def __init__(
        self, filename: str, sha256: str | None, failures: list[Failure] | None = None
    ) -> None:
        """Begin without a byte; the search for sources adds to ``failures``."""
        self.filename = filename
        #: Expected at first, verified in the end; None while it is unknown.
        self.sha256 = sha256
        #: Bytes of the whole file; None until a source states it.
        self.total: int | None = None
        #: Why each source failed, for messages.
        self.failures: list[Failure] = [] if failures is None else failures
        self._spool: Spool  # set by `begin`, before a byte can be read
        self._changed = threading.Condition()
        self._progress = Progress.RUNNING
        self._received = 0
        #: When readers were last woken, on the monotonic clock.
        self._woken = float("-inf")
        self._is_committed = False
        self._blob: Blob | None = None
        self._is_settled = False

    @property
    def progress(self) -> Progress:
        """The state of the transfer."""
        with self._changed:
            return self._progress

    @property
    def received(self) -> int:
        """The number of bytes that have come so far."""
        with self._changed:
            return self._received

    @property
    def can_stream(self) -> bool:
        """Whether an answer can begin: the length is known and the first bytes can be sent."""
        return self.total is not None and self._readable() > 0

    @property
    def is_committed(self) -> bool:
        """Whether an answer may have begun: its length and first bytes cannot be taken back."""
        return self._is_committed

    def error(self, remedy: str | None = None) -> FileError:
        """Return the error for clients of a transfer that failed; see `error_of`."""
        return error_of(self.filename, self.failures, remedy)

    # For readers.

    def wait(self, whole: float, some: float) -> Progress:
        """Wait up to ``whole`` seconds for the whole file, and up to ``some`` for a first byte.

        Both are counted from the call; the first byte counts once the length is known.
        """
        started = time.monotonic()
        with self._changed:
            self._changed.wait_for(self._has_ended, whole)
            left = max(0.0, started + some - time.monotonic())
            self._changed.wait_for(lambda: self._has_ended() or self.can_stream, left)
            self._is_committed = self._is_committed or self.can_stream
            return self._progress

    def read(self, start: int, stop: int, most: int = PIECE) -> Generator[bytes, None, None]:
        """Yield the bytes from ``start`` to ``stop`` as they come, at most ``most`` at once.

        Raises `TransferError` if they do not come: the connection must then be cut.
        """
        position = start

        def can_go_on() -> bool:
            return self._has_ended() or self._readable() > position

        while position < stop:
            with self._changed:
                self._changed.wait_for(can_go_on, READER_PATIENCE)
                ready = min(self._readable(), stop)
            if ready <= position:
                raise self._error()
            while position < ready:
                piece = self._spool.read(position, min(most, ready - position))
                if not piece:  # the transfer has failed, and the next one has emptied the file
                    raise self._error()
                position += len(piece)
                yield piece

    def wait_ended(self, seconds: float) -> Progress:
        """Wait up to ``seconds`` for the end of the transfer, without committing to an answer."""
        with self._changed:
            self._changed.wait_for(self._has_ended, seconds)
            return self._progress

    def wait_stored(self, seconds: float) -> Blob | None:
        """Wait up to ``seconds`` until the whole file is stored; return None if it is not."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_settled, seconds)
            return self._blob

    def _has_ended(self) -> bool:
        return self._progress is not Progress.RUNNING

    def _readable(self) -> int:
        if self._progress is Progress.DONE:
            return self._received
        if self._progress is Progress.FAILED or self.total is None:
            return 0
        return min(self._received, max(0, self.total - HELD_BACK))

    def _error(self) -> TransferError:
        return TransferError(failed(f"{self.filename}: {why(self.failures)}"))

    # For the thread that writes the file.

    def begin(self, spool: Spool) -> None:
        """Set the spool, which may hold bytes that an earlier process left; called once."""
        self._spool = spool
        with self._changed:
            self._received = spool.size

    def expect(self, total: int) -> None:
        """Set the length that a source states."""
        with self._changed:
            self.total = total
            self._changed.notify_all()  # an earlier process may have left bytes that can be sent

    def append(self, piece: bytes) -> None:
        """Write the next bytes; raises `TransferError` beyond the length, OSError from the disk."""
        if self.total is not None and self._received + len(piece) > self.total:
            raise TransferError(failed(f"more than the {self.total} bytes stated"))
        self._spool.write(piece)
        with self._changed:
            before = self._readable()
            self._received += len(piece)
            # The end of a file is held back: readers of a small one are woken once, at its end.
            now = time.monotonic()
            if self._readable() > before and now >= self._woken + WAKE_SECONDS:
                self._woken = now
                self._changed.notify_all()

    def start_over(self) -> None:
        """Remove all bytes; raises `CommittedError` if an answer may have begun."""
        with self._changed:
            if self._is_committed:
                raise CommittedError
            self._received = 0
            self.total = None
        self._spool.clear()

    def finish(self, sha256: str) -> None:
        """End the transfer: the bytes that are there are the whole file, and right."""
        with self._changed:
            self.sha256, self.total = sha256, self._received
            self._progress = Progress.DONE
            self._changed.notify_all()

    def settle(self, blob: Blob | None) -> None:
        """Set the stored file of a finished transfer, or None if the file could not be stored."""
        with self._changed:
            self._blob, self._is_settled = blob, True
            self._changed.notify_all()

    def fail(self) -> None:
        """End the transfer without the whole file: readers get an error."""
        with self._changed:
            self._progress = Progress.FAILED
            self._changed.notify_all()


def failed(detail: str) -> Outcome:
    """Return the outcome of an index that answered but did not deliver."""
    return Outcome(Kind.FAILED, detail)
