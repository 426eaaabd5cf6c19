"""Blobs: the bytes of files, named by their sha256, written whole or not at all, and evicted.

A file is written in ``partial/``, hashed on the way, made durable, renamed into
``blobs/sha256/ab/<hex>``, and only then recorded; a process that is killed at any point leaves
at most a partial file or an unrecorded blob, and `Blobs.verify` takes both in hand.

Locks: ``_lock`` guards ``_reading``, ``_touched``, ``_flushed`` and ``_total``; nothing is read
or written while it is held.
"""

import contextlib
import hashlib
import logging
import os
import shutil
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from indexfallback.names import is_sha256
from indexfallback.store.database import Database
from indexfallback.store.keeping import keeping

log = logging.getLogger("indexfallback.store")

#: Uses are written down at most this often, seconds: eviction needs no better clock.
FLUSH_SECONDS = 60.0
#: Eviction goes down to this share of the limit, so that it does not run for each file.
EVICT_TO = 0.9
#: A partial file that nobody wrote to for this long has no owner, seconds: a day.
PARTIAL_SECONDS = 86400.0
#: Names asked for in one query, below SQLite's oldest limit of 999.
_BATCH = 900
_PIECE = 1 << 20


class Blob(NamedTuple):
    """A stored file."""

    sha256: str
    path: Path
    size: int


class Blobs:
    """The files of the store."""

    def __init__(self, directory: Path, database: Database, limit: int) -> None:
        self._blobs = directory / "blobs" / "sha256"
        self._partial = directory / "partial"
        self._quarantine = directory / "quarantine"
        self._database = database
        self._limit = limit
        self._lock = threading.Lock()
        self._reading: Counter[str] = Counter()
        self._touched: dict[str, float] = {}
        self._flushed = time.monotonic()
        self._total: int | None = None
        # One by one: parents made on the way would be open to others.
        for path in (self._blobs.parent, self._blobs, self._partial):
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
        self._touch(sha256)
        return Blob(sha256, path, size)

    def held(self, sha256s: Iterable[str]) -> set[str]:
        """Return those of ``sha256s`` that are recorded here."""
        wanted = list(sha256s)
        held: set[str] = set()
        with self._database.read() as connection:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                marks = ",".join("?" * len(batch))
                query = f"SELECT sha256 FROM blob WHERE sha256 IN ({marks})"  # noqa: S608 - marks
                held.update(sha256 for (sha256,) in connection.execute(query, batch))
        return held

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

    def new_partial(self) -> Path:
        """Return a new name for a file that is being written."""
        return self._partial / uuid.uuid4().hex

    def commit(self, partial: Path, fd: int, sha256: str, size: int) -> Blob:
        """Make a written and verified partial file a blob; raises OSError or sqlite3.Error."""
        os.fsync(fd)
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        try:
            partial.replace(target)
        except PermissionError:  # Windows, where an open file cannot be renamed
            whole = self.new_partial()
            shutil.copyfile(partial, whole)
            whole.replace(target)
        _sync_directory(target.parent)
        self._record(sha256, size)
        return Blob(sha256, target, size)

    def add(self, data: bytes) -> Blob:
        """Keep a small file that is there already; raises OSError or sqlite3.Error."""
        partial = self.new_partial()
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            return self.commit(partial, file.fileno(), hashlib.sha256(data).hexdigest(), len(data))

    def _record(self, sha256: str, size: int) -> None:
        now = time.time()
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO blob VALUES (?, ?, ?, ?)", (sha256, size, now, now)
            )
        with self._lock:
            if self._total is not None:
                self._total += size
            full = self._total is None or self._total > self._limit
        if full:
            self.evict()

    def _touch(self, sha256: str) -> None:
        now = time.monotonic()
        with self._lock:
            self._touched[sha256] = time.time()
            due = now - self._flushed > FLUSH_SECONDS
            if due:
                self._flushed = now
        if due:
            with keeping("when files were last used"):
                self.flush()

    def flush(self) -> None:
        """Write down when files were last used; raises sqlite3.Error."""
        with self._lock:
            touched, self._touched = self._touched, {}
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE blob SET used = ? WHERE sha256 = ?",
                ((used, sha256) for sha256, used in touched.items()),
            )

    def evict(self, target: int | None = None) -> list[str]:
        """Remove the least recently used files until ``target`` bytes hold, by default the limit.

        A file that is being read stays. Returns the sha256 of what was removed.
        """
        self.flush()
        total = self.total()
        goal = target if target is not None else int(self._limit * EVICT_TO)
        removed: list[str] = []
        if total > (goal if target is not None else self._limit):
            with self._database.read() as connection:
                oldest = connection.execute(
                    "SELECT sha256, size FROM blob ORDER BY used"
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

    def total(self) -> int:
        """Return the bytes of all recorded files."""
        with self._database.read() as connection:
            row = connection.execute("SELECT coalesce(sum(size), 0) FROM blob").fetchone()
        return int(row[0])

    def count(self) -> int:
        """Return the number of recorded files."""
        with self._database.read() as connection:
            return int(connection.execute("SELECT count(*) FROM blob").fetchone()[0])

    def remove(self, sha256: str) -> None:
        """Remove one file and its record."""
        self._forget([sha256])
        self.path(sha256).unlink(missing_ok=True)

    def _forget(self, sha256s: list[str]) -> None:
        with self._database.write() as connection:
            connection.executemany("DELETE FROM blob WHERE sha256 = ?", ((s,) for s in sha256s))

    def quarantine(self, sha256: str) -> None:
        """Take a wrong file out of use, keeping it for a look at what happened."""
        self._forget([sha256])
        self._take_away(self.path(sha256))

    def _take_away(self, path: Path) -> None:
        self._quarantine.mkdir(exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):  # another process was quicker
            path.replace(self._quarantine / path.name)

    def verify(self) -> Iterator[tuple[str, str]]:
        """Hash every file; yield (sha256, verdict) as it goes.

        Verdicts: ``right``; ``quarantined`` (wrong or cut short, moved away); ``missing``
        (recorded, not there; the record is removed); ``adopted`` (right, but had no record).
        """
        with self._database.read() as connection:
            recorded = dict(connection.execute("SELECT sha256, size FROM blob").fetchall())
        for path in sorted(self._blobs.glob("??/*")):
            sha256 = path.name
            if path != self.path(sha256) or not _is_right(path):
                if not os.path.lexists(path):  # evicted meanwhile
                    continue
                self._take_away(path)
                self._forget([sha256])
                verdict = "quarantined"
            elif sha256 not in recorded:
                self._record(sha256, path.stat().st_size)
                verdict = "adopted"
            else:
                verdict = "right"
            recorded.pop(sha256, None)
            yield sha256, verdict
        for sha256 in self.held(recorded):
            if not self.path(sha256).exists():
                self._forget([sha256])
                yield sha256, "missing"

    def remove_abandoned(self) -> int:
        """Remove partial files without an owner; return how many."""
        now = time.time()
        removed = 0
        for path in self._partial.iterdir():
            with contextlib.suppress(FileNotFoundError):  # finished or removed meanwhile
                if now - path.stat().st_mtime > PARTIAL_SECONDS:
                    path.unlink()
                    removed += 1
        return removed

    def quarantined(self) -> int:
        """Return the number of files taken out of use."""
        return sum(1 for _ in self._quarantine.glob("*"))

    def empty_quarantine(self) -> int:
        """Remove what was quarantined; return how many files."""
        paths = list(self._quarantine.glob("*"))
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)


def _is_right(path: Path) -> bool:
    try:
        return is_sha256(path.name) and hash_file(path) == path.name
    except OSError as error:  # not a file, or a disk that cannot be read
        log.warning("%s: cannot be read (%s)", path, error.strerror)
        return False


def hash_file(path: Path) -> str:
    """Return a file's sha256 in hexadecimal; raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _sync_directory(path: Path) -> None:
    # Windows has no such call, and its rename is durable with the file system's journal.
    if os.name == "posix":
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
