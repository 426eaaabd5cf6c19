"""One file that a run fetches: written as it arrives, resumed after a break, verified.

`files.transfer` does the same for clients, with readers that follow and one durable write a file;
a run has neither readers nor, in its worker processes, a database, and makes files durable in
batches (`write_batch`).
"""

import contextlib
import os
import time
from pathlib import Path
from typing import NamedTuple

from indexfallback.files.arrival import failed
from indexfallback.files.coding import CodingError, decoded
from indexfallback.files.extent import Extent, ExtentError
from indexfallback.files.integrity import Digest
from indexfallback.files.pace import unstalled
from indexfallback.outcome import Outcome
from indexfallback.page import File
from indexfallback.store.partials import Partials
from indexfallback.upstream.answers import Body, FileAnswer, TransferError

#: From this size on, bytes, a partial file survives a killed run.
_LARGE = 16 << 20
_HASH_PIECE = 1 << 20
#: The most bytes of a file whose page does not state its size: no distribution has as many.
_UNSTATED = 8 << 30


class FetchedFile(NamedTuple):
    """A file that is complete and verified, in a partial file of its own."""

    file: File
    path: Path
    sha256: str
    size: int
    #: Its provenance object, if its page states one and it is valid.
    provenance: bytes | None = None


class FileDownload:
    """A file that one thread is fetching."""

    def __init__(self, file: File, partials: Partials) -> None:
        """Open a partial file, with what an earlier run left of a large file; raises OSError."""
        self.file = file
        self._partials = partials
        is_large = (file.size or 0) >= _LARGE
        self._partial = partials.open(file.sha256 if is_large else None)
        self.written = 0
        self.etag: str | None = None
        self._digest = Digest()
        self._extent = Extent(file, _UNSTATED)
        while piece := os.read(self._partial.fd, _HASH_PIECE) if self._partial.size else b"":
            self._digest.update(piece)
            self.written += len(piece)

    @property
    def is_complete(self) -> bool:
        """Whether the partial file is the whole file already."""
        return self.written > 0 and self._digest.sha256() == self.file.sha256

    def receive(self, answer: FileAnswer) -> Outcome:
        """Read an answer to its end; return FOUND if the file is complete and verified.

        Raises OSError.
        """
        if answer.body is None:
            return answer.outcome
        try:
            self._read(answer.body)
        except ExtentError as error:
            self._start_over()
            return error.outcome
        except TransferError as error:
            return error.outcome
        finally:
            answer.body.close()
        problem = self._digest.problem(self.file, self.file.sha256)
        if problem is not None and not self._decode(answer.body.coding):
            self._start_over()
            return failed(problem)
        return answer.outcome

    def _read(self, body: Body) -> None:
        """Write the body; raises `TransferError` and OSError."""
        if body.start not in (0, self.written):
            raise TransferError(failed("answered another range than asked for"))
        if body.start != self.written:
            self._start_over()
        if not self.written:
            self._digest.expect(self.file)
        self.etag = body.etag
        for piece in unstalled(body, time.monotonic):
            self._extent.check(self.written + len(piece))
            _write(self._partial.fd, piece)
            self._digest.update(piece)
            self.written += len(piece)
        if body.total is not None and self.written != body.total:
            raise TransferError(failed(f"ended after {self.written} of {body.total} bytes"))

    def _decode(self, coding: str) -> bool:
        """Decode the file if that makes it the right one, and tell whether it does.

        Raises OSError.
        """
        encoded, digest = self._partial, Digest()
        digest.expect(self.file)
        self._partial = self._partials.open(None)
        os.lseek(encoded.fd, 0, os.SEEK_SET)
        pieces = iter(lambda: os.read(encoded.fd, _HASH_PIECE), b"")
        try:
            for piece in decoded(pieces, coding, self._extent.most):
                _write(self._partial.fd, piece)
                digest.update(piece)
            is_right = digest.problem(self.file, self.file.sha256) is None
        except CodingError:
            is_right = False
        wrong = encoded if is_right else self._partial
        if is_right:
            self.written, self._digest = os.fstat(self._partial.fd).st_size, digest
        else:
            self._partial = encoded
        os.close(wrong.fd)
        wrong.path.unlink(missing_ok=True)
        return is_right

    def discard_unless_resumable(self) -> None:
        """Start over if neither a hash nor an ETag can show that the next bytes are the rest."""
        if self.written and self.file.sha256 is None and self.etag is None:
            self._start_over()

    def _start_over(self) -> None:
        os.ftruncate(self._partial.fd, 0)
        os.lseek(self._partial.fd, 0, os.SEEK_SET)
        self.written = 0
        self._digest = Digest()

    def finish(self) -> FetchedFile:
        """Close the file and return it; the caller owns it. Raises OSError."""
        path = self._partial.path
        if self._partial.is_resumable:
            # Under its own name another process would take it for an abandoned partial file.
            path = path.replace(self._partials.new())
        os.close(self._partial.fd)
        return FetchedFile(self.file, path, self._digest.sha256(), self.written)

    def abandon(self) -> None:
        """Close the file; keep what the next run can resume, remove the rest."""
        os.close(self._partial.fd)
        if not (self._partial.is_resumable and self.written):
            with contextlib.suppress(OSError):  # another process has removed it
                self._partial.path.unlink()


def _write(fd: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(fd, view) :]
