"""Metadata files that are read from their distributions, and whether the two agree (PEP 658)."""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from indexfallback.chain.refusals import acceptance
from indexfallback.dists.metadata import read_metadata
from indexfallback.errors import (
    FileError,
    FileMissingError,
    FileRefusedError,
    FileUnavailableError,
)
from indexfallback.files.arrival import IncomingFile, Progress
from indexfallback.files.failures import Failure, why
from indexfallback.files.integrity import WRONG_SECONDS
from indexfallback.files.pinned import FileAddress, PinnedFiles
from indexfallback.files.sources import Source
from indexfallback.memory.table import Table
from indexfallback.names import METADATA_ENDING, version_of
from indexfallback.store import Blob, Store, best_effort

log = logging.getLogger("indexfallback")

#: A whole file is stored within a moment, seconds.
_STORING = 1.0
#: In place of the metadata of a wheel that has none. A resolver discards a version whose
#: requirement is invalid, as it does with the wheel itself, and cites the requirement; after an
#: error it would give up, also where another version fits.
_UNUSABLE = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Requires-Dist: {filename} has no metadata that can be read
"""


class MetadataFiles:
    """The metadata inside distributions."""

    def __init__(
        self,
        store: Store,
        pins: PinnedFiles,
        get: Callable[[FileAddress, float], Blob | IncomingFile],
        incoming: Callable[[FileAddress], IncomingFile | None],
    ) -> None:
        """Read metadata.

        ``get`` takes the address of a file and the end of the deadline, and returns the file or
        raises `FileError`. ``incoming`` returns the file whose transfer has not ended, until its
        content is pinned.
        """
        self._store = store
        self._pins = pins
        self._get = get
        self._incoming = incoming
        #: The end of the refusal on the monotonic clock, and the sha256 of the wheel's metadata.
        self._refused: Table[FileAddress, tuple[float, str]] = Table(
            "files.metadata.MetadataFiles._refused"
        )

    def held(self, address: FileAddress, source: Source) -> Blob | None:
        """Return the metadata of a stored distribution, pinned; None if it is not there.

        ``source`` is the first one of the metadata. Other metadata than was served is not returned.
        """
        known = self._pins.distribution(address)
        dist = self._store.blobs.find(known) if known is not None else None
        if dist is None:
            return None
        try:
            data = read_metadata(dist.path, address.listed)
        except FileNotFoundError:  # another process has evicted it since it was found
            return None
        served = self._pins.sha256(address)
        if data is None:  # the index may have it as a file
            return self._unusable(address) if source.wheel is not None and served is None else None
        blob = self._stored(data, address)
        if blob is None or served not in (None, blob.sha256):
            return None
        return self._pins.pinned(address, blob, source)

    def fetch(
        self, address: FileAddress, source: Source, failures: Sequence[Failure], ends: float
    ) -> Blob:
        """Return metadata from its distribution, which is fetched whole.

        The distribution has its own hash, and decides what its metadata is. ``source`` is one of
        the metadata, ``failures`` are those of all; ``ends`` is on the monotonic clock. Raises
        `FileError`: it is temporary as long as the distribution may still be fetched.
        """
        try:
            dist = self._fetched(address._replace(filename=address.listed), ends)
        except FileError as error:
            cause = f"{why(failures)}; {address.listed}, which contains it: {error.cause}"
            raise replace(error, filename=address.filename, cause=cause) from None
        try:
            data = read_metadata(dist.path, address.listed)
        except FileNotFoundError:  # another process has evicted it since it came
            raise FileUnavailableError(
                address.filename,
                f"{address.listed}, which contains it, was evicted before it was read",
                "Run again; if that happens again, raise cache.max_size.",
            ) from None
        blob = self._stored(data, address) if data is not None else self._unusable(address)
        if blob is None:
            raise _not_stored(address.filename)
        return self._pins.pinned(address, blob, source) if data is not None else blob

    def contradiction(self, address: FileAddress, path: Path) -> str | None:
        """Return the sha256 of a wheel's metadata if other metadata was served before, or None.

        ``address`` is that of the wheel, which is at ``path``. Metadata that cannot be read
        contradicts nothing.
        """
        served = None if address.is_metadata else self._served(address)
        data = read_metadata(path, address.filename) if served is not None else None
        own = hashlib.sha256(data).hexdigest() if data is not None else served
        return own if own != served else None

    def refuse(self, address: FileAddress, index: str, own: str) -> None:
        """Remember that a wheel of ``index`` has other metadata than was served, and say so."""
        self._pins.note_change(_metadata_of(address), index, own)
        self._refused.put(address, (time.monotonic() + WRONG_SECONDS, own))

    def check(self, address: FileAddress) -> None:
        """Raise `FileRefusedError` if a wheel lately came with other metadata than was served."""
        until, own = self._refused.get(address) or (0.0, "")
        served = self._served(address) if time.monotonic() < until else None
        if served not in (None, own):
            raise FileRefusedError(
                address.filename,
                f"its metadata has sha256 {own}, where {served} was served before it came",
                acceptance(address.key.project, address.filename),
            )

    def _served(self, address: FileAddress) -> str | None:
        """Return the sha256 of the metadata that was served for a distribution, or None."""
        metadata = _metadata_of(address)
        incoming = self._incoming(metadata)
        if incoming is not None and incoming.progress is Progress.DONE:
            return incoming.sha256
        return self._pins.sha256(metadata)

    def _fetched(self, address: FileAddress, ends: float) -> Blob:
        """Return a file once it is stored; raises `FileError`."""
        found = self._get(address, ends)
        if isinstance(found, Blob):
            return found
        left = max(0.0, ends - time.monotonic())
        progress = found.wait(left, left)
        if progress is Progress.FAILED:
            raise found.error()
        if progress is Progress.RUNNING:
            late = "it did not come within the deadline"
            raise FileUnavailableError(address.filename, late, "It is being fetched: run again.")
        blob = found.wait_stored(_STORING)
        if blob is None:
            raise _not_stored(address.filename)
        return blob

    def _unusable(self, address: FileAddress) -> Blob | None:
        """Return metadata in place of those that a wheel should have; raises `FileError`."""
        cause = f"no metadata can be read from {address.listed}"
        version = version_of(address.listed)
        if version is None or not address.listed.endswith(".whl"):
            raise FileMissingError(address.filename, cause, "Choose another version.")
        log.warning("%s: resolvers are told to discard it", cause)
        text = _UNUSABLE.format(name=address.key.project, version=version, filename=address.listed)
        return self._stored(text.encode(), address)

    def _stored(self, data: bytes, address: FileAddress) -> Blob | None:
        with best_effort(f"store {address.filename}"):
            return self._store.blobs.add(data)
        return None


def _metadata_of(address: FileAddress) -> FileAddress:
    return address._replace(filename=address.filename + METADATA_ENDING)


def _not_stored(filename: str) -> FileUnavailableError:
    return FileUnavailableError(filename, "it cannot be stored", "Free space and run again.")
