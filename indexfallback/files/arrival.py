"""The bytes of one file as they come: one thread adds them, any number of readers follow.

What a reader gets is the right file or a connection cut short: the last piece is held back
until the whole has been verified.

Locks: ``Arrival._changed`` guards the progress; no byte is read or written while it is held.
"""

import logging
import threading
import time
from collections.abc import Generator
from enum import Enum

from indexfallback.files.integrity import Digest
from indexfallback.outcome import Kind, Outcome
from indexfallback.store import Blob, Store, keeping
from indexfallback.store.blobs import PIECE
from indexfallback.store.spool import Spool
from indexfallback.upstream.answers import TransferError

log = logging.getLogger("indexfallback")

#: Bytes held back until the whole is verified: the last piece.
HELD_BACK = PIECE
#: Pieces that what an earlier process left is hashed in, bytes.
_HASH_PIECE = 1 << 20
#: Longest wait of a reader for the next byte, seconds: above every limit of a single source,
#: so that it only ends what has ended already.
READER_PATIENCE = 120.0


class Progress(Enum):
    """How far a transfer is."""

    RUNNING = "running"
    #: Whole and verified.
    DONE = "done"
    FAILED = "failed"


class SpoiledError(Exception):
    """Bytes that cannot be continued are on their way to a reader: only an end is left."""


class Arrival:
    """One file on its way: what is there of it, and who reads it."""

    def __init__(self, filename: str, sha256: str | None, store: Store) -> None:
        self.filename = filename
        #: Expected, then verified; None while it is not known.
        self.sha256 = sha256
        #: Bytes of the whole file, None while no source has said.
        self.total: int | None = None
        #: In the store, if it could be kept.
        self.blob: Blob | None = None
        #: What each source answered, for messages.
        self.failures: list[str] = []
        self._store = store
        self._spool: Spool  # made by the writing thread, before the first byte
        self._changed = threading.Condition()
        self._progress = Progress.RUNNING
        self._written = 0
        #: Whether some of what is there was left by an earlier process.
        self._inherited = False
        self._given = False
        self._digest = Digest()

    # The readers' side.

    @property
    def progress(self) -> Progress:
        """How far it is."""
        with self._changed:
            return self._progress

    def wait(self, whole: float, some: float) -> Progress:
        """Wait up to ``whole`` seconds for all of it, then up to ``some`` for a first byte.

        The waits are counted from now; a first byte only counts once the length is known.
        """
        started = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._progress is not Progress.RUNNING, whole)
            left = max(0.0, started + some - time.monotonic())
            self._changed.wait_for(
                lambda: self._progress is not Progress.RUNNING or self.can_stream, left
            )
            # From here on its length is promised, and what is there may be sent.
            self._given = self._given or self.can_stream
            return self._progress

    @property
    def received(self) -> int:
        """The bytes that are here so far."""
        with self._changed:
            return self._written

    @property
    def can_stream(self) -> bool:
        """Whether an answer can begin: its length is known, and its first bytes are there."""
        return self.total is not None and self._readable() > 0

    def read(self, start: int, stop: int, most: int = PIECE) -> Generator[bytes, None, None]:
        """Yield the bytes from ``start`` to ``stop`` as they come, at most ``most`` at once.

        Raises `TransferError` when they do not: the connection is then to be cut.
        """
        position = start
        while position < stop:
            with self._changed:
                self._changed.wait_for(
                    lambda at=position: (
                        self._readable() > at  # type: ignore[misc]  # mypy cannot type a default
                        or self._progress is not Progress.RUNNING
                    ),
                    READER_PATIENCE,
                )
                ready = min(self._readable(), stop)
            if ready <= position:
                raise TransferError(failed(f"{self.filename}: {self.why()}"))
            while position < ready:
                piece = self._spool.read(position, min(most, ready - position))
                if not piece:  # it failed meanwhile, and another transfer goes on with the file
                    raise TransferError(failed(f"{self.filename}: {self.why()}"))
                position += len(piece)
                yield piece

    def _readable(self) -> int:
        if self._progress is Progress.DONE:
            return self._written
        if self._progress is Progress.FAILED or self.total is None:
            return 0
        return min(self._written, max(0, self.total - HELD_BACK))

    def why(self) -> str:
        """Return why it failed, source by source."""
        return "; ".join(self.failures) or "no index lists it"

    # The writing thread's side.

    def _open(self) -> None:
        """Make the spool, and take in what an earlier process left of the file; raises OSError."""
        self._spool = Spool(self._store.blobs, self.sha256)
        try:
            for offset in range(0, self._spool.size, _HASH_PIECE):
                self._digest.update(self._spool.read(offset, _HASH_PIECE))
        except OSError as error:
            log.warning("%s: what is here of it cannot be read (%s)", self.filename, error)
            self._start_over()
            return
        self._inherited = self._spool.size > 0
        with self._changed:
            self._written = self._spool.size

    def _append(self, piece: bytes) -> None:
        if self.total is not None and self._written + len(piece) > self.total:
            raise TransferError(failed(f"more than the {self.total} bytes stated"))
        self._digest.update(piece)
        self._spool.write(piece)
        with self._changed:
            self._written += len(piece)
            self._changed.notify_all()

    def _start_over(self) -> None:
        """Begin again with nothing, unless a reader has got bytes already."""
        with self._changed:
            if self._given:
                raise SpoiledError
            self._written = 0
            self.total = None
        self._spool.clear()
        self._inherited = False
        self._digest = Digest()

    def _keep(self) -> None:
        with keeping(self.filename):
            if self.sha256 is not None:
                self.blob = self._spool.keep(self.sha256)


def failed(detail: str) -> Outcome:
    """Return the outcome of an index that answered and did not deliver."""
    return Outcome(Kind.FAILED, detail)
