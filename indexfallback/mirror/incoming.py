"""One file on its way into the mirror: written as it comes, continued where it broke, verified."""

import contextlib
import os
import time
from pathlib import Path
from typing import NamedTuple

from indexfallback.files.integrity import Digest
from indexfallback.files.pace import unstalled
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.store.partials import Partials
from indexfallback.upstream.answers import Body, FileAnswer, TransferError

#: From this size on, bytes, what was fetched of a file outlives a run that is killed.
_LARGE = 16 << 20
_HASH_PIECE = 1 << 20


class Fetched(NamedTuple):
    """A file that is whole and right, in a partial file of its own."""

    file: File
    path: Path
    sha256: str
    size: int


class Incoming:
    """A file that is being fetched, by one thread."""

    def __init__(self, file: File, partials: Partials) -> None:
        """Begin with what an earlier run left of a large file; raises OSError."""
        self.file = file
        self._partials = partials
        is_large = (file.size or 0) >= _LARGE
        self._partial = partials.open(file.sha256 if is_large else None)
        self.written = 0
        self.etag: str | None = None
        self._digest = Digest()
        while piece := os.read(self._partial.fd, _HASH_PIECE) if self._partial.size else b"":
            self._digest.update(piece)
            self.written += len(piece)

    @property
    def is_whole(self) -> bool:
        """Whether what is there is all of the file already."""
        return self.written > 0 and self._digest.sha256() == self.file.sha256

    def take(self, answer: FileAnswer) -> Outcome:
        """Read an answer to its end; return FOUND if the file is whole and right, or what is wrong.

        Raises OSError.
        """
        if answer.body is None:
            return answer.outcome
        try:
            outcome = self._read(answer.body) or answer.outcome
        except TransferError as error:
            return error.outcome
        finally:
            answer.body.close()
        if outcome.kind is Kind.FOUND:
            problem = self._digest.problem(self.file, self.file.sha256)
            if problem is not None:
                self._start_over()
                return Outcome(Kind.FAILED, problem)
        return outcome

    def _read(self, body: Body) -> Outcome | None:
        """Write what comes; return what went wrong, or None."""
        if body.start not in (0, self.written):
            return Outcome(Kind.FAILED, "answered another range than asked for")
        if body.start != self.written:
            self._start_over()
        if not self.written:
            self._digest.expect(self.file)
        # Without a hash only a validator tells that the next bytes continue these.
        self.etag = body.etag
        for piece in unstalled(body, time.monotonic):
            view = memoryview(piece)
            while view:
                view = view[os.write(self._partial.fd, view) :]
            self._digest.update(piece)
            self.written += len(piece)
        if body.total is not None and self.written != body.total:
            return Outcome(Kind.FAILED, f"ended after {self.written} of {body.total} bytes")
        return None

    def forget_unless_continued(self) -> None:
        """Begin again with nothing where nobody could tell that other bytes continue these."""
        if self.written and self.file.sha256 is None and self.etag is None:
            self._start_over()

    def _start_over(self) -> None:
        os.ftruncate(self._partial.fd, 0)
        os.lseek(self._partial.fd, 0, os.SEEK_SET)
        self.written = 0
        self._digest = Digest()

    def finish(self) -> Fetched:
        """Give the file away; raises OSError."""
        path = self._partial.path
        if self._partial.stays:
            # Under its own name others would take it for what a run that ended has left.
            path = path.replace(self._partials.new())
        os.close(self._partial.fd)
        return Fetched(self.file, path, self._digest.sha256(), self.written)

    def leave(self) -> None:
        """Leave what can be continued to the next run."""
        os.close(self._partial.fd)
        if not (self._partial.stays and self.written):
            with contextlib.suppress(OSError):  # cleaned up meanwhile
                self._partial.path.unlink()
