"""A file that is put together from one or several answers: hashed, continued, verified and stored.

An `Assembly` belongs to one transfer and is used by its thread alone.
"""

import logging
import time
from pathlib import Path

from indexfallback.files.arrival import IncomingFile, failed
from indexfallback.files.checking import Expected, decoded_right, problem_of, verdict
from indexfallback.files.extent import Extent, ExtentError
from indexfallback.files.hashing import Hashing
from indexfallback.files.integrity import Digest
from indexfallback.files.pace import unstalled
from indexfallback.files.shared_copy import SharedCopy
from indexfallback.files.sources import Source
from indexfallback.names import METADATA_ENDING
from indexfallback.outcome import Outcome
from indexfallback.store import best_effort
from indexfallback.store.blobs import Blobs
from indexfallback.store.spool import Spool
from indexfallback.upstream.answers import Body, TransferError

log = logging.getLogger("indexfallback")

#: Bytes hashed at once of what an earlier process left.
_HASH_PIECE = 1 << 20


class Assembly:
    """The bytes of one file that have come so far, and what they came from."""

    def __init__(self, file: IncomingFile, blobs: Blobs) -> None:
        self.file = file
        #: The source of the latest bytes.
        self.source: Source | None = None
        #: Whether some of the bytes were left by an earlier process.
        self.has_leftovers = False
        self._blobs = blobs
        self._digest = Digest()
        self._spool: Spool  # set by `open`
        #: The latest answer with bytes of the file.
        self._body: Body | None = None

    def open(self) -> None:
        """Open the spool, and hash what an earlier process left in it; raises OSError."""
        # Metadata is small: to look for a part of it costs more than it saves.
        is_small = self.file.filename.endswith(METADATA_ENDING)
        self._spool = spool = Spool(self._blobs, None if is_small else self.file.sha256)
        try:
            for offset in range(0, spool.size, _HASH_PIECE):
                self._digest.update(spool.read(offset, _HASH_PIECE))
        except OSError as error:
            log.warning("%s: the part that is here cannot be read (%s)", self.file.filename, error)
            spool.clear()
            self._digest = Digest()
        self.has_leftovers = spool.size > 0
        self.file.begin(spool)

    @property
    def path(self) -> Path:
        """Where the bytes are."""
        return self._spool.path

    def sha256(self) -> str:
        """Return the sha256 of the bytes so far."""
        return self._digest.sha256()

    def etag(self, source: Source) -> str | None:
        """Return the validator with which a source can tell whether it still has these bytes."""
        return self._body.etag if self._body is not None and source is self.source else None

    def is_whole(self, source: Source) -> bool:
        """Tell by the hash whether the file is whole, although the source announced more."""
        expected = self.file.sha256 or source.file.sha256
        return self.file.received > 0 and expected == self.sha256()

    def read(self, source: Source, body: Body) -> None:
        """Take the missing bytes from a body.

        Raises:
            TransferError: The body broke off, or does not continue the bytes that are here.
            ExtentError: It has more bytes than the page states; none is kept.
            CommittedError: The file would have to start over, and answers have begun.
            OSError: The bytes cannot be written to a disk.

        """
        extent = Extent(source.file, self._blobs.eviction.limit, "cache.max_size")
        self._continue_with(source, body)
        try:
            # The bytes count, not the length that is announced: the hash may prove a file whole
            # before that length has come.
            self._append(body, extent)
        except ExtentError:
            self.start_over()
            raise

    def read_shared(self, copy: SharedCopy, sha256: str) -> bool:
        """Take the missing bytes from the shared bucket; return whether the file is right then.

        Raises `CommittedError` and OSError, as `read` does.
        """
        # Once more if what an earlier process left was wrong.
        while (body := copy.body(sha256, self.file.received)) is not None:
            had_leftovers = self.has_leftovers
            try:
                self.read(copy.source, body)
            except ExtentError as error:
                log.warning("%s: the shared bucket: %s", self.file.filename, error.outcome)
            except TransferError as error:  # an index goes on with these bytes
                log.warning("%s: %s", self.file.filename, error.outcome)
                return False
            if self.sha256() == sha256:
                copy.shared.received(sha256, is_right=True)
                return True
            self.start_over()
            if not had_leftovers:
                copy.shared.received(sha256, is_right=False)
        return False

    def _append(self, body: Body, extent: Extent) -> None:
        file = self.file
        skip = file.received - body.start
        with Hashing(self._digest) as hashing:
            for piece in unstalled(body, time.monotonic):
                new = piece[skip:]
                skip = max(0, skip - len(piece))
                if new:
                    extent.check(file.received + len(new))
                    file.append(new)
                    hashing.update(new)
        if file.total is not None and file.received < file.total:
            raise TransferError(failed(f"ended after {file.received} of {file.total} bytes"))

    def _continue_with(self, source: Source, body: Body) -> None:
        """Start over unless the body continues the bytes that are there; raises TransferError."""
        file, total, etag = self.file, body.total, self.etag(source)
        coding = self._body.coding if self._body is not None else ""
        is_same = etag is not None and body.etag == etag
        if file.received and (
            body.coding != coding or (source.file.sha256 is None and not is_same)
        ):
            self.start_over()  # nothing tells that the file is still the same
        if total is not None and (file.total not in (None, total) or file.received > total):
            if file.is_committed:
                raise TransferError(failed(f"{total} bytes, where {file.total} were expected"))
            self.start_over()  # either length may be wrong: the hash tells
        if body.start not in (0, file.received):
            raise TransferError(failed("answered another range than asked for"))
        if not file.received:
            self._digest.expect(source.file)
        self.source, self._body = source, body
        if total is not None:
            file.expect(total)

    def fault(self, source: Source) -> Outcome | None:
        """Return what is wrong with the bytes, or None if they are right; raises OSError.

        They are decoded if that makes them the right ones.
        """
        expected = Expected(source.file, self.file.sha256)
        problem = problem_of(expected, self._digest, self._spool)
        if problem is None or self._decode(expected):
            return None
        received = self.file.received
        return verdict(expected, problem, self._digest, body=self._body, received=received)

    def _decode(self, expected: Expected) -> bool:
        """Decode the bytes if that makes them the right ones, and tell whether it does."""
        if self._body is None or not self._body.coding or self.has_leftovers:
            return False
        right = decoded_right(expected, self._spool, self._body.coding, self._blobs)
        if right is None:
            return False
        self._spool.drop()
        self._spool, self._digest = right
        self.file.begin(self._spool)
        return True

    def start_over(self) -> None:
        """Remove all bytes; raises `CommittedError` if an answer may have begun."""
        self.file.start_over()
        self.has_leftovers = False
        self._digest = Digest()

    def store(self) -> None:
        """Let readers have the last piece, then store the file if the disk allows it."""
        sha256, blob = self.sha256(), None
        self.file.finish(sha256)
        with best_effort(f"store {self.file.filename}"):
            blob = self._spool.commit(sha256)
        self.file.settle(blob)

    def release(self) -> None:
        """Let the next transfer go on with these bytes."""
        self._spool.release()

    def drop(self) -> None:
        """Let no other transfer go on with these bytes."""
        self._spool.drop()
