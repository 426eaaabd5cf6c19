"""The content that a file must have: that of its first download, or that of its address."""

from typing import NamedTuple

from indexfallback.chain.fallback import Fallback
from indexfallback.chain.refusals import acceptance, changed
from indexfallback.errors import FileRefusedError
from indexfallback.files.sources import Source
from indexfallback.names import METADATA_ENDING, FileKey
from indexfallback.store import Blob, best_effort


class FileAddress(NamedTuple):
    """What a file's address on this server says."""

    owner: str
    key: FileKey
    filename: str


class PinnedFiles:
    """The pins as files are served by them."""

    def __init__(self, fallback: Fallback) -> None:
        self._fallback = fallback
        self._store = fallback.store

    def foreign(self, owner: str) -> frozenset[str]:
        """Return the addresses of indexes whose pins say nothing about files of ``owner``."""
        return self._fallback.settings.foreign_keys(self._fallback.members[owner].index.group)

    def stored(self, address: FileAddress) -> tuple[Blob | None, str | None]:
        """Return the file with the pinned content, if it is stored, and the sha256 it must have."""
        _, key, filename = address
        pin = self._store.pins.get(key.project, filename, self.foreign(address.owner))
        # The address of a metadata file has the hash of the distribution, not its own.
        stated = None if filename.endswith(METADATA_ENDING) else key.sha256
        if pin is not None and stated is not None and pin != stated:
            raise self.changed(address, pin, stated)
        return self._store.blobs.find(pin) if pin is not None else None, stated or pin

    def pin(self, address: FileAddress, sha256: str, source: Source) -> str:
        """Pin the file's content, and return the pin that holds: it may be an older one.

        What another group had under the name, and what a mirror had before its public index,
        gives way.
        """
        owner, key, filename = address
        index = source.member.index
        over = self.foreign(owner)
        if index.name == index.group:
            over |= {member.index.key for member in self._fallback.members.group(index.group)}
            over -= {index.key}
        # It holds in memory where it cannot be written.
        with best_effort(f"store the pin of {filename}"):
            return self._store.pins.record(key.project, filename, sha256, index.key, over)
        return sha256

    def pinned(self, address: FileAddress, blob: Blob, source: Source) -> Blob:
        """Return a file, pinned; raises `FileRefusedError` if another content of it was first."""
        pin = self.pin(address, blob.sha256, source)
        if pin != blob.sha256:
            raise self.changed(address, pin, blob.sha256)
        return blob

    def changed(self, address: FileAddress, pin: str, sha256: str) -> FileRefusedError:
        """Return the error for content that differs from the pin, and record who offers it."""
        owner, key, filename = address
        for member in self._fallback.members.group(owner):
            page = self._store.pages.load(member.index.key, key.project)
            file = page.file(filename) if page is not None else None
            if file is not None and file.sha256 == sha256:
                self._fallback.refusals.note(key.project, filename, member.index.name, sha256)
        return FileRefusedError(
            filename,
            changed(pin, sha256),
            acceptance(key.project, filename),
        )
