"""The metadata inside a stored distribution, kept as a file of its own (PEP 658)."""

import time

from indexfallback.dists.metadata import read_metadata
from indexfallback.files.arrival import IncomingFile, Progress
from indexfallback.store import Blob, Store, best_effort

#: A whole file is stored within a moment, seconds.
_STORING = 1.0


def metadata_of(store: Store, dist: Blob, filename: str) -> Blob | None:
    """Store the metadata of a distribution; None if it has none, or it cannot be stored."""
    data = read_metadata(dist.path, filename)
    if data is None:
        return None
    with best_effort(f"store the metadata of {filename}"):
        return store.blobs.add(data)
    return None


def wait_stored(found: Blob | IncomingFile, ends: float) -> Blob | None:
    """Wait until a file is stored, at most until ``ends`` on the monotonic clock."""
    if isinstance(found, Blob):
        return found
    left = max(0.0, ends - time.monotonic())
    if found.wait(left, left) is not Progress.DONE:
        return None
    return found.wait_stored(_STORING)
