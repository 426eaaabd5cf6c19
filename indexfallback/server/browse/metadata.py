"""The metadata of a distribution: from the cache, else fetched as a client would, within limits."""

import gzip
import io
import logging
import tarfile
import zlib
from typing import BinaryIO

from indexfallback.dists.bounds import MAX_METADATA
from indexfallback.dists.metadata import read_metadata
from indexfallback.errors import IndexFallbackError
from indexfallback.files.arrival import Progress
from indexfallback.names import METADATA_ENDING, FileKey
from indexfallback.page import File
from indexfallback.shim import Shim
from indexfallback.store import Blob
from indexfallback.upstream.answers import TransferError

log = logging.getLogger("indexfallback")

#: Largest sdist that is fetched for its metadata, bytes: it takes about a second.
FETCHED = 5 * 1000**2
#: Unpacked bytes of an archive in which PKG-INFO is looked for.
_UNPACKED = 50 * 1000**2
#: Errors of a damaged archive, or of one larger than that.
_DAMAGED = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError)


def metadata_of(
    shim: Shim, owner: str, project: str, files: tuple[File, ...], *, most: int = FETCHED
) -> bytes | None:
    """Return the core metadata of a version, from the first of its files that has some, or None.

    ``owner`` is that of the files' addresses. An sdist of up to ``most`` bytes is fetched for it.
    """
    for file in files:
        try:
            found = _metadata(shim, owner, project, file, most)
        except (IndexFallbackError, TransferError, OSError) as error:
            log.info("%s: its metadata cannot be shown: %s", file.filename, error)
            continue
        if found is not None:
            return found
    return None


def _metadata(shim: Shim, owner: str, project: str, file: File, most: int) -> bytes | None:
    key = FileKey(project, file.sha256)
    if file.core_metadata is not False:
        return _read(shim, owner, key, file.filename + METADATA_ENDING)
    held = shim.store.blobs.find(file.sha256) if file.sha256 is not None else None
    if file.filename.endswith(".whl"):
        return read_metadata(held.path, file.filename) if held is not None else None
    if not file.filename.endswith(".tar.gz"):
        return None
    if held is not None:
        with held.path.open("rb") as archive:
            return pkg_info_in(archive, file.filename)
    if file.size is None or file.size > most:
        return None
    # Not from the store: a download is answered before it is stored.
    data = _read(shim, owner, key, file.filename)
    return pkg_info_in(io.BytesIO(data), file.filename) if data is not None else None


def _read(shim: Shim, owner: str, key: FileKey, filename: str) -> bytes | None:
    """Return a whole file; None if it is too large, or not fetched within some seconds."""
    found = shim.downloads.get(owner, key, filename)
    length = found.size if isinstance(found, Blob) else found.total or 0
    if length > max(MAX_METADATA, FETCHED):
        return None
    if isinstance(found, Blob):
        return b"".join(shim.store.blobs.read(found, 0, length))
    # A transfer that is still running goes on: the next request finds the file.
    is_whole = found.progress is Progress.DONE
    return b"".join(found.read(0, length)) if is_whole else None


def pkg_info_in(file: BinaryIO, filename: str) -> bytes | None:
    """Return the PKG-INFO of an open ``.tar.gz`` of that name; None if it has no usable one."""
    wanted = f"{filename.removesuffix('.tar.gz')}/PKG-INFO"
    try:
        with (
            _Bounded(fileobj=file) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as archive,
        ):
            for member in archive:
                if member.name == wanted and member.isreg() and member.size <= MAX_METADATA:
                    found = archive.extractfile(member)
                    return found.read() if found is not None else None
    except _DAMAGED:  # not an archive, cut, or a bomb
        return None
    return None


class _Bounded(gzip.GzipFile):
    """A gzip file that is unpacked up to a limit: a small one may unpack to gigabytes."""

    _left = _UNPACKED

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes; raises OSError beyond the limit."""
        data = super().read(size)
        self._left -= len(data)
        if self._left < 0:
            raise OSError(f"unpacks to more than {_UNPACKED} bytes")
        return data
