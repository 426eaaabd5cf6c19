"""Blobs: stored files, named by their sha256, written atomically.

A file is written in ``partial/`` and hashed meanwhile, synced to disk, renamed to
``blobs/sha256/ab/<hex>``, and recorded last. A process that is killed leaves at most a partial
file, which expires, or a blob without a record, which is recorded when it is next used.
"""

import contextlib
import hashlib
import logging
import os
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from indexfallback.memory.table import Table
from indexfallback.process.machine import fault_of
from indexfallback.store.best_effort import best_effort
from indexfallback.store.blob_records import BlobRecords
from indexfallback.store.database import Database
from indexfallback.store.disk import (
    is_intact,
    make_private,
    sync_directories,
    sync_directory,
    sync_files,
)
from indexfallback.store.eviction import Eviction
from indexfallback.store.in_use import FilesInUse
from indexfallback.store.partials import Partials
from indexfallback.store.quarantine import Quarantine

log = logging.getLogger("indexfallback.store")

#: Largest read, bytes; more is no faster and costs memory for each reader.
PIECE = 64 * 1024
#: A file up to this size, bytes, is hashed before it is first served: that takes 0.1 s at most, and
#: a damaged one is replaced before a client sees it. A larger one is hashed while it is served.
SMALL_FILE = 16 << 20
#: Partial files without a writer take at most this share of the limit.
PARTIAL_SHARE = 0.1


class Blob(NamedTuple):
    """A stored file."""

    sha256: str
    path: Path
    size: int


class FileSharing(Protocol):
    """A bucket with the files of several shims."""

    def stored(self, sha256: str) -> None:
        """Let a thread write a file that was stored here to the bucket."""


class Blobs:
    """The files of the store."""

    def __init__(
        self, directory: Path, database: Database, limit: int, *, read_only: Path | None = None
    ) -> None:
        """Store files in ``directory``, and read those of the cache ``read_only`` as well."""
        self.shared: FileSharing | None = None
        self.records = BlobRecords(database)
        self._read_only = read_only / "blobs" / "sha256" if read_only is not None else None
        self.partials = Partials(directory / "partial", int(limit * PARTIAL_SHARE))
        self.directory = directory / "blobs" / "sha256"
        self.quarantined = Quarantine(directory / "quarantine")
        # Files that are only read take no space that could be freed.
        limit += self.records.total() if read_only is not None else 0
        self._in_use = FilesInUse()
        self.eviction = Eviction(
            self.records, self.partials, limit, in_use=self._in_use, remove=self._unlink
        )
        #: The sha256 of the files that this process has verified; the values mean nothing.
        self._verified: Table[str, None] = Table("store.blobs.Blobs._verified")
        for path in (self.directory, self.partials.directory):
            make_private(path)

    def path(self, sha256: str) -> Path:
        """Return the path of a blob, which need not exist."""
        return self.directory / sha256[:2] / sha256

    def _existing(self, sha256: str) -> Path:
        """Return the path of a stored file, which may be one that is only read."""
        path = self.path(sha256)
        if self._read_only is None or path.exists():
            return path
        return self._read_only / sha256[:2] / sha256

    def find(self, sha256: str) -> Blob | None:
        """Return a stored blob, or None; a damaged one is quarantined."""
        recorded = self.records.sizes([sha256]).get(sha256)
        path = self._existing(sha256)
        try:
            size = path.stat().st_size
        except OSError as error:
            if recorded is not None:  # removed by hand, or the disk is unreadable
                log.warning(
                    "%s: the stored file is missing (%s); it is fetched again", path.name, error
                )
                with best_effort(f"remove the record of {sha256}"):
                    self.records.remove([sha256])
            return None
        if recorded is not None and size != recorded:
            if not is_intact(path):
                log.warning(
                    "%s: %d bytes instead of %d; it is fetched again", path.name, size, recorded
                )
                with best_effort(f"quarantine {sha256}"):
                    self.quarantine(sha256)
                return None
            log.warning("%s: its record has a wrong size, which is corrected", path.name)
        blob = self._checked(Blob(sha256, path, size))
        if blob is not None and size != recorded:  # or the record was lost
            with best_effort(f"record {sha256}"):
                self.records.add({sha256: size})
        return blob

    def _checked(self, blob: Blob) -> Blob | None:
        """Return a blob, unless it is a small one that is damaged."""
        sha256, _, size = blob
        if size <= SMALL_FILE and sha256 not in self._verified:
            try:
                for _ in self.read(blob, 0, size):
                    pass
            except OSError:
                return None
        self.records.touch(sha256)
        return blob

    def usable(self, sha256s: Iterable[str]) -> set[str]:
        """Return those of ``sha256s`` whose files exist with the recorded size."""
        return {s for s, size in self.records.sizes(sha256s).items() if self._has_size(s, size)}

    def _has_size(self, sha256: str, size: int) -> bool:
        try:
            return self._existing(sha256).stat().st_size == size
        except OSError:  # removed by hand, or the disk is unreadable
            return False

    def read(
        self, blob: Blob, start: int, stop: int, most: int = PIECE
    ) -> Generator[bytes, None, None]:
        """Yield a file's bytes from ``start`` to ``stop``, at most ``most`` at a time.

        The file is not evicted meanwhile. Unless this process has verified it before, a read of
        the whole file is hashed, and the last piece is yielded only if the hash is correct. Raises
        OSError if the file is damaged or unreadable; it is then quarantined.
        """
        try:
            with self.open(blob) as file:
                file.seek(start)
                yield from self._pieces(blob, file, stop - start, most)
        except OSError as error:
            # Otherwise the file may be intact, or another process has evicted it, and by now it may
            # be stored anew.
            if fault_of(error) is None and not isinstance(error, FileNotFoundError):
                log.warning(
                    "%s: the stored file cannot be used (%s); it is quarantined and fetched again: "
                    "check the disk's health",
                    blob.path, error,
                )  # fmt: skip
                with best_effort(f"quarantine {blob.sha256}"):
                    self.quarantine(blob.sha256)
            raise

    def _pieces(self, blob: Blob, file: BinaryIO, left: int, most: int) -> Iterator[bytes]:
        is_whole = left == blob.size and blob.sha256 not in self._verified
        digest = hashlib.sha256() if is_whole else None
        while left:
            piece = file.read(min(most, left))
            if not piece:
                raise OSError("it is truncated")
            left -= len(piece)
            if digest is not None:
                digest.update(piece)
                if not left:
                    self._check(blob, digest.hexdigest())
            yield piece

    def _check(self, blob: Blob, sha256: str) -> None:
        if sha256 != blob.sha256:
            raise OSError(f"its sha256 is {sha256} now")
        self._verified.put(sha256, None)

    @contextlib.contextmanager
    def open(self, blob: Blob) -> Iterator[BinaryIO]:
        """Open a blob for reading; it is not evicted meanwhile. Raises OSError."""
        with self._in_use.reading(blob.sha256), blob.path.open("rb") as file:
            yield file

    def commit(self, partial: Path, fd: int, sha256: str, size: int) -> Blob:
        """Store a complete, verified partial file; raises OSError or sqlite3.Error."""
        os.fsync(fd)
        target = self.path(sha256)
        try:
            self._place(partial, target)
        except PermissionError:  # on Windows, an open file cannot be renamed
            copy = self.partials.new()
            shutil.copyfile(partial, copy)
            self._place(copy, target)
        sync_directory(target.parent)
        self.record({sha256: size})
        self._verified.put(sha256, None)
        if self.shared is not None:
            self.shared.stored(sha256)
        return Blob(sha256, target, size)

    @staticmethod
    def _place(partial: Path, target: Path) -> None:
        """Rename a partial file to a blob; its directory may be missing."""
        try:
            partial.replace(target)
        except FileNotFoundError:
            make_private(target.parent)
            partial.replace(target)

    def adopt(self, written: Sequence[tuple[Path, str]]) -> None:
        """Store complete, verified partial files, to be recorded next; raises OSError."""
        sync_files(self.partials.directory, [partial for partial, _ in written])
        for partial, sha256 in written:
            self._place(partial, self.path(sha256))
        sync_directories({self.path(sha256).parent for _, sha256 in written})
        for _, sha256 in written:
            self._verified.put(sha256, None)

    def add(self, data: bytes) -> Blob:
        """Store the bytes of a small file; raises OSError or sqlite3.Error."""
        partial = self.partials.new()
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                sha256 = hashlib.sha256(data).hexdigest()
                return self.commit(partial, file.fileno(), sha256, len(data))
        finally:
            partial.unlink(missing_ok=True)  # if the disk is full

    def record(self, sizes: Mapping[str, int]) -> None:
        """Record stored files, by sha256, and evict others if necessary; raises sqlite3.Error."""
        self.records.add(sizes)
        self.eviction.make_room()

    def remove(self, sha256: str) -> None:
        """Remove one file and its record."""
        self.records.remove([sha256])
        self._unlink(sha256)

    def _unlink(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def quarantine(self, sha256: str) -> None:
        """Move a damaged file to the quarantine."""
        self._verified.remove(sha256)
        self.records.remove([sha256])
        self.quarantined.take(self.path(sha256))

    def verify(self) -> Iterator[tuple[str, str]]:
        """Hash every file; yield each sha256 with its verdict.

        Verdicts: ``right``; ``quarantined`` (damaged, moved to the quarantine); ``missing`` (no
        file; its record is removed); ``adopted`` (intact, without a record until now).
        """
        directories = {path.name for path in self.directory.glob("??")}
        for start in sorted(directories.union(f"{number:02x}" for number in range(256))):
            yield from self._verify(start)

    def _verify(self, start: str) -> Iterator[tuple[str, str]]:
        """Verify the files in one directory: few of a million records are in memory at once."""
        recorded = self.records.sizes_from(start)
        for path in sorted((self.directory / start).glob("*")):
            sha256 = path.name
            if path != self.path(sha256) or not is_intact(path):
                if not os.path.lexists(path):  # evicted in the meantime
                    continue
                self.quarantined.take(path)
                self.records.remove([sha256])
                verdict = "quarantined"
            elif recorded.get(sha256) != path.stat().st_size:
                self.record({sha256: path.stat().st_size})
                verdict = "adopted"
            else:
                verdict = "right"
            recorded.pop(sha256, None)
            yield sha256, verdict
        held = self.records.held(recorded)
        missing = [sha256 for sha256 in held if not self.path(sha256).exists()]
        self.records.remove(missing)
        yield from ((sha256, "missing") for sha256 in missing)
