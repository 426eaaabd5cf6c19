"""Blobs: the bytes of files, named by their sha256, written whole or not at all, and evicted.

A file is written in ``partial/``, hashed on the way, made durable, renamed into
``blobs/sha256/ab/<hex>``, and only then recorded; a process that is killed at any point leaves
at most a partial file or an unrecorded blob, and `Blobs.verify` takes both in hand.

Locks: ``_lock`` guards ``_reading`` and ``_total`` besides what `Records` says; nothing is read or
written while it is held.
"""

import contextlib
import errno
import hashlib
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from indexfallback.store.database import Database
from indexfallback.store.disk import is_right, sync_directories, sync_directory, sync_files
from indexfallback.store.keeping import keeping
from indexfallback.store.partials import Partials
from indexfallback.store.quarantine import Quarantine
from indexfallback.store.records import EVICTABLE, Records
from indexfallback.store.verified import VerifiedFiles

log = logging.getLogger("indexfallback.store")

#: What a reader is given at once, bytes; more is no faster and costs memory for each reader.
PIECE = 64 * 1024
#: A file up to this size is hashed before it is first served, bytes: that takes 0.1 s at most,
#: and nobody sees that it was wrong. A larger one is hashed while it is served.
AT_ONCE = 16 << 20
#: Eviction goes down to this share of the limit, so that it does not run for each file.
EVICT_TO = 0.9
#: What keeps a right file from being read: this process has too much open.
_LOCAL_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class Blob(NamedTuple):
    """A stored file."""

    sha256: str
    path: Path
    size: int


class Blobs(Records):
    """The files of the store."""

    def __init__(self, directory: Path, database: Database, limit: int) -> None:
        super().__init__(database)
        self.partials = Partials(directory / "partial")
        self._blobs = directory / "blobs" / "sha256"
        self.quarantined = Quarantine(directory / "quarantine")
        self._limit = limit
        self._reading: Counter[str] = Counter()
        self._verified = VerifiedFiles()
        self._total: int | None = None
        # One by one: parents made on the way would be open to others.
        for path in (self._blobs.parent, self._blobs, self.partials.directory):
            path.mkdir(exist_ok=True, mode=0o700)

    def path(self, sha256: str) -> Path:
        """Return where a blob lies or would lie."""
        return self._blobs / sha256[:2] / sha256

    def find(self, sha256: str) -> Blob | None:
        """Return a stored blob, or None; one that is not as it was recorded is quarantined."""
        with self._database.read() as connection:
            row = connection.execute("SELECT size FROM blob WHERE sha256 = ?", (sha256,)).fetchone()
        if row is None:
            return None
        path = self.path(sha256)
        try:
            size = path.stat().st_size
        except OSError as error:  # removed by hand, or a disk that cannot be read: fetch it again
            log.warning("%s: the stored file is gone (%s); it is fetched again", path.name, error)
            with keeping(f"that {sha256} is gone"):
                self._forget([sha256])
            return None
        if size != row[0]:
            log.warning("%s: %d bytes where %d were stored; fetched again", path.name, size, row[0])
            with keeping(f"that {sha256} is wrong"):
                self.quarantine(sha256)
            return None
        blob = Blob(sha256, path, size)
        if size <= AT_ONCE and sha256 not in self._verified:
            try:
                for _ in self.read(blob, 0, size):
                    pass
            except OSError:
                return None
        self._touch(sha256)
        return blob

    def usable(self, sha256s: Iterable[str]) -> set[str]:
        """Return those of ``sha256s`` that lie here in the size that is recorded."""
        return {s for s, size in self.sizes(sha256s).items() if self._lies(s, size)}

    def _lies(self, sha256: str, size: int) -> bool:
        try:
            return self.path(sha256).stat().st_size == size
        except OSError:  # removed by hand, or a disk that cannot be read
            return False

    def read(
        self, blob: Blob, start: int, stop: int, most: int = PIECE
    ) -> Generator[bytes, None, None]:
        """Yield a file's bytes from ``start`` to ``stop``, at most ``most`` at once.

        It is not evicted meanwhile.

        The first time in this process that all are read, they are hashed, and the last piece is
        held back until they are right. Raises OSError if they are not, or cannot be read; the
        file is then quarantined.
        """
        try:
            with self.open(blob) as file:
                file.seek(start)
                yield from self._pieces(blob, file, stop - start, most)
        except OSError as error:
            if error.errno not in _LOCAL_ERRNOS:
                log.warning(
                    "%s: the stored file cannot be used (%s); it is quarantined and fetched again: "
                    "look at the disk's health",
                    blob.path, error,
                )  # fmt: skip
                with keeping(f"that {blob.sha256} is wrong"):
                    self.quarantine(blob.sha256)
            raise

    def _pieces(self, blob: Blob, file: BinaryIO, left: int, most: int) -> Iterator[bytes]:
        whole = left == blob.size and blob.sha256 not in self._verified
        digest = hashlib.sha256() if whole else None
        while left:
            piece = file.read(min(most, left))
            if not piece:
                raise OSError("shorter than it was")
            left -= len(piece)
            if digest is not None:
                digest.update(piece)
                if not left:
                    self._check(blob, digest.hexdigest())
            yield piece

    def _check(self, blob: Blob, sha256: str) -> None:
        if sha256 != blob.sha256:
            raise OSError(f"its sha256 is {sha256} now")
        self._verified.add(sha256)

    @contextlib.contextmanager
    def open(self, blob: Blob) -> Iterator[BinaryIO]:
        """Open a blob for reading; it is not evicted meanwhile. Raises OSError."""
        with self._lock:
            self._reading[blob.sha256] += 1
        try:
            with blob.path.open("rb") as file:
                yield file
        finally:
            with self._lock:
                self._reading[blob.sha256] -= 1
                if not self._reading[blob.sha256]:
                    del self._reading[blob.sha256]

    def commit(self, partial: Path, fd: int, sha256: str, size: int) -> Blob:
        """Make a written and verified partial file a blob; raises OSError or sqlite3.Error."""
        os.fsync(fd)
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        try:
            partial.replace(target)
        except PermissionError:  # Windows, where an open file cannot be renamed
            whole = self.partials.new()
            shutil.copyfile(partial, whole)
            whole.replace(target)
        sync_directory(target.parent)
        self.record({sha256: size})
        self._verified.add(sha256)
        self.partials.remove(sha256)
        return Blob(sha256, target, size)

    def adopt(self, written: Sequence[tuple[Path, str]]) -> None:
        """Make written and verified partial files blobs, to be recorded next; raises OSError."""
        sync_files(self.partials.directory, [partial for partial, _ in written])
        for partial, sha256 in written:
            target = self.path(sha256)
            target.parent.mkdir(exist_ok=True, mode=0o700)
            partial.replace(target)
        sync_directories({self.path(sha256).parent for _, sha256 in written})
        for _, sha256 in written:
            self._verified.add(sha256)

    def add(self, data: bytes) -> Blob:
        """Keep a small file that is there already; raises OSError or sqlite3.Error."""
        partial = self.partials.new()
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            return self.commit(partial, file.fileno(), hashlib.sha256(data).hexdigest(), len(data))

    def record(self, sizes: Mapping[str, int]) -> None:
        """Record files that were made blobs, by sha256; raises sqlite3.Error."""
        now = time.time()
        with self._database.write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO blob VALUES (?, ?, ?, ?)",
                ((sha256, size, now, now) for sha256, size in sizes.items()),
            )
        with self._lock:
            if self._total is not None:
                self._total += sum(sizes.values())
            first = self._total is None
            full = self._total is None or self._total > self._limit
        if full:
            self.evict()
        if first:  # once in each process, since nobody else would
            self.partials.remove_abandoned()

    def evict(self, target: int | None = None) -> list[str]:
        """Remove the least recently used files until ``target`` bytes hold, by default the limit.

        A file that is being read or that is mirrored stays. Returns the sha256 of what was removed.
        """
        self.flush()
        total = self.total()
        goal = target if target is not None else int(self._limit * EVICT_TO)
        removed: list[str] = []
        if total > (goal if target is not None else self._limit):
            with self._database.read() as connection:
                oldest = connection.execute(
                    f"SELECT sha256, size FROM blob WHERE {EVICTABLE} ORDER BY used"  # noqa: S608
                ).fetchall()
            for sha256, size in oldest:
                if total <= goal:
                    break
                with self._lock:
                    if self._reading[sha256]:
                        continue
                self._forget([sha256])
                self.path(sha256).unlink(missing_ok=True)
                removed.append(sha256)
                total -= size
        with self._lock:
            self._total = total
        if removed:
            log.info("cache over its limit: %d files least recently used removed", len(removed))
        return removed

    def remove(self, sha256: str) -> None:
        """Remove one file and its record."""
        self._forget([sha256])
        self.path(sha256).unlink(missing_ok=True)

    def quarantine(self, sha256: str) -> None:
        """Take a wrong file out of use, keeping it for a look at what happened."""
        self._verified.discard(sha256)
        self._forget([sha256])
        self.quarantined.take(self.path(sha256))

    def verify(self) -> Iterator[tuple[str, str]]:
        """Hash every file; yield (sha256, verdict) as it goes.

        Verdicts: ``right``; ``quarantined`` (wrong or cut short, moved away); ``missing``
        (recorded, not there; the record is removed); ``adopted`` (right, but had no record).
        """
        with self._database.read() as connection:
            recorded = dict(connection.execute("SELECT sha256, size FROM blob").fetchall())
        for path in sorted(self._blobs.glob("??/*")):
            sha256 = path.name
            if path != self.path(sha256) or not is_right(path):
                if not os.path.lexists(path):  # evicted meanwhile
                    continue
                self.quarantined.take(path)
                self._forget([sha256])
                verdict = "quarantined"
            elif sha256 not in recorded:
                self.record({sha256: path.stat().st_size})
                verdict = "adopted"
            else:
                verdict = "right"
            recorded.pop(sha256, None)
            yield sha256, verdict
        for sha256 in self.held(recorded):
            if not self.path(sha256).exists():
                self._forget([sha256])
                yield sha256, "missing"
