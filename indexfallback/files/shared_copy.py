"""The copy of a file in the bucket that several shims share, as a transfer reads it."""

from typing import NamedTuple

from indexfallback.files.sources import Source
from indexfallback.outcome import Kind, Outcome
from indexfallback.store.seam import Shared, SharedFile
from indexfallback.upstream.answers import Body, TransferError


class SharedCopy(NamedTuple):
    """A file in the bucket, which is used like a source."""

    shared: Shared
    #: Its index is the one that the file belongs to.
    source: Source

    def body(self, sha256: str, start: int) -> Body | None:
        """Return the bytes from ``start`` on, or None if the bucket does not have them now."""
        found = self.shared.open(sha256, start)
        if found is None:
            return None
        # Without a validator: an index that continues these bytes has another one. The connection
        # is closed with the last reference to the pieces.
        return Body(start, found.total, lambda: _next(found), lambda: None)


def _next(found: SharedFile) -> bytes:
    try:
        return next(found.pieces, b"")
    except OSError as error:
        detail = f"the shared bucket: {error}"
        raise TransferError(Outcome(Kind.FAILED, detail)) from error
