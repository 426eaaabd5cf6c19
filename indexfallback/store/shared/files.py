"""Files in the bucket, by their sha256: a cache, of which any may be missing or wrong."""

import logging
from collections.abc import Iterator

from indexfallback.memory.table import Table
from indexfallback.store.blobs import Blobs
from indexfallback.store.seam import SharedFile
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import Answer, BucketError, Outcome
from indexfallback.store.shared.figures import Figures
from indexfallback.store.shared.link import Link

log = logging.getLogger("indexfallback.store")

#: A file up to this size, bytes, is created in one request: it is not sent if it is there already.
#: For a larger one, to ask first costs less than to send it.
_SMALL = 4 << 20


class SharedFiles:
    """The files of the bucket."""

    def __init__(self, link: Link, blobs: Blobs, figures: Figures) -> None:
        self._link = link
        self._blobs = blobs
        self._figures = figures
        #: The files that came from the bucket, and those whose bytes there were wrong.
        self._received: Table[str, None] = Table("store.shared.files.SharedFiles._received")
        self._wrong: Table[str, None] = Table("store.shared.files.SharedFiles._wrong")

    def open(self, sha256: str, start: int) -> SharedFile | None:
        """Return a file from ``start`` on, or None if the bucket does not have it now."""
        if sha256 in self._wrong:
            return None
        answer, pieces = self._link.stream(keys.blob(sha256), start)
        if not answer.is_found or answer.size <= start:
            return None
        return SharedFile(answer.size, self._counted(pieces))

    def has(self, sha256: str) -> bool:
        """Tell whether the bucket has a file now."""
        return sha256 not in self._wrong and self._link.head(keys.blob(sha256)).is_found

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for piece in pieces:
                self._figures.count("bytes", len(piece))
                yield piece
        except BucketError as error:
            self._link.broke_off(error)
            raise

    def received(self, sha256: str, *, is_right: bool) -> None:
        """Note a file that came whole from the bucket; a wrong one is replaced."""
        if is_right:
            self._figures.count("files")
            self._received.put(sha256, None)
            return
        self._figures.count("wrong")
        self._wrong.put(sha256, None)
        log.error(
            "shared bucket: the file %s has other bytes than its name says; it is refused, fetched "
            "from its index, and replaced",
            keys.blob(sha256),
        )

    def has_received(self, sha256: str) -> bool:
        """Tell whether a file came from the bucket."""
        return sha256 in self._received

    def share(self, sha256: str) -> Answer:
        """Write a file that is stored here, unless the bucket has it."""
        key, path = keys.blob(sha256), self._blobs.path(sha256)
        try:
            size = path.stat().st_size
            if sha256 in self._wrong:
                answer = self._link.put(key, path)
                if answer.is_found:
                    self._wrong.remove(sha256)
                return answer
            if size <= _SMALL:
                return self._link.create(key, path.read_bytes())
        except OSError as error:  # it was evicted while it waited
            return Answer(Outcome.ABSENT, cause=str(error))
        there = self._link.head(key)
        if there.outcome is Outcome.ABSENT or (there.is_found and there.size != size):
            return self._link.put(key, path)
        return there._replace(outcome=Outcome.EXISTS) if there.is_found else there
