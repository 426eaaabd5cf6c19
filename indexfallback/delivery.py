"""A whole file in the store, for commands that keep files and have no client to send them to."""

from collections.abc import Callable

from indexfallback.errors import StoreError
from indexfallback.files.arrival import Progress
from indexfallback.files.download import FileAddress
from indexfallback.shim import Shim
from indexfallback.store import Blob

#: Progress is reported this often, seconds.
_STEP = 0.2
#: A file is stored within a moment of its last byte; it is waited for this long, seconds.
_STORING = 30.0


def _no_report(received: int, total: int | None) -> None:
    """Report no progress."""


def deliver(
    shim: Shim, address: FileAddress, report: Callable[[int, int | None], None] = _no_report
) -> Blob:
    """Return a stored file, fetched if necessary; raises `FileError`, `StoreError`.

    ``report`` is called now and then with the bytes that have come and the length of the file,
    None while it is unknown.
    """
    found = shim.downloads.get(*address)
    if isinstance(found, Blob):
        return found
    while found.wait(_STEP, 0.0) is Progress.RUNNING:
        report(found.received, found.total)
    if found.progress is Progress.FAILED:
        raise found.error()
    blob = found.wait_stored(_STORING)
    if blob is None:
        remedy = "see the warnings above, and run again"
        raise StoreError(str(shim.store.directory), f"{found.filename} cannot be stored", remedy)
    return blob
