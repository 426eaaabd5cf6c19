"""Reading files through `Downloads` as the server does."""

from indexfallback.files.arrival import IncomingFile, Progress
from indexfallback.names import FileKey
from indexfallback.shim import Shim
from indexfallback.store import Blob
from tests.fakes import Dist

#: Above the last piece, which is held back, and below what is sent at once.
BIG = 400_000


def key_of(dist: Dist, *, hashed: bool = True) -> FileKey:
    """Return the middle part of a file's address."""
    return FileKey(dist.project, dist.sha256 if hashed else None)


def fetch(
    shim: Shim, dist: Dist, *, owner: str = "pypi", hashed: bool = True, ending: str = ""
) -> bytes:
    """Return a file's bytes; raises what the server would answer an error for."""
    found = shim.downloads.get(owner, key_of(dist, hashed=hashed), dist.filename + ending)
    if isinstance(found, Blob):
        with shim.store.blobs.open(found) as file:
            return file.read()
    return b"".join(found.read(0, found.total or 0))


def streamed(shim: Shim, dist: Dist) -> IncomingFile:
    """Return a file whose answer begins before it is whole (with the fixture ``impatient``)."""
    found = shim.downloads.get("pypi", key_of(dist), dist.filename)
    assert isinstance(found, IncomingFile)
    assert found.progress is Progress.RUNNING
    return found


def is_kept(shim: Shim) -> bool:
    """Tell whether the one file that was fetched is stored, and its transfer at its end."""
    return not shim.downloads._running and shim.store.blobs.records.count() == 1
