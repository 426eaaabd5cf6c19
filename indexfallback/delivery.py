"""A whole file in the store, for those who keep it and have no client to send it to."""

import time
from collections.abc import Callable

from indexfallback.errors import FileUnavailableError, StoreError
from indexfallback.files.arrival import Progress
from indexfallback.files.download import Wanted
from indexfallback.shim import Shim
from indexfallback.store import Blob

#: A transfer is waited for in steps, seconds: so often its bytes are counted.
_STEP = 0.2
#: A file that has come is in the store within a moment, and is looked for so often, seconds.
_KEEPING, _KEPT_WAIT = 30.0, 0.01


def _nobody(received: int, total: int | None) -> None:
    """Listen to no progress."""


def deliver(shim: Shim, address: Wanted, came: Callable[[int, int | None], None] = _nobody) -> Blob:
    """Return a file that is in the store, fetched if need be; raises `FileError`, `StoreError`.

    ``came`` is told now and then how many bytes of it are here, and of how many, once that is
    known.
    """
    found = shim.downloads.get(*address)
    if isinstance(found, Blob):
        return found
    while found.wait(_STEP, 0.0) is Progress.RUNNING:
        came(found.received, found.total)
    filename = address[2]
    if found.progress is Progress.FAILED:
        raise FileUnavailableError(filename, found.why(), "Run again when one of them is well.")
    ends = time.monotonic() + _KEEPING
    while found.blob is None and time.monotonic() < ends:
        time.sleep(_KEPT_WAIT)  # it is kept after its last byte, which nothing waits for
    if found.blob is None:
        remedy = "see the warnings above, and run again"
        raise StoreError(str(shim.store.directory), f"{filename} cannot be kept", remedy)
    return found.blob
