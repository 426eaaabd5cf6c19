"""The shelf of a hosted index that is a directory.

The files are in the directory; when they were uploaded, and which are yanked, is in the user's
state directory (`store.hosted_files`).

Locks: with ``DirectoryShelf._lock``, and a file lock among processes, one thread at a time places
files. They are held for a scan of the directory, a link and its record, and to hash a file whose
name is taken, never while bytes are received or checked. Only uploads wait for them.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from indexfallback.config import Index
from indexfallback.errors import UploadFailedError
from indexfallback.hosted.checks import Checked
from indexfallback.hosted.receiving import Incoming, failed, receiving, unrecorded
from indexfallback.names import PROVENANCE_ENDING
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.store.best_effort import StoreFault, best_effort
from indexfallback.store.disk import hash_file
from indexfallback.store.hosted_files import HostedFile
from indexfallback.store.locks import FileLock
from indexfallback.upstream.facts import Facts, Stamp
from indexfallback.upstream.roots import path_of

#: Timeout in seconds. Another process places a file in milliseconds, or longer on a slow disk.
_LOCK_SECONDS = 5.0


class DirectoryShelf:
    """The files of one directory."""

    def __init__(self, index: Index, store: Store) -> None:
        self._index = index
        self._store = store
        self._directory = path_of(index.url)
        self._lock = threading.Lock()

    def problem(self) -> str:
        """Return nothing: a directory is locked while a file is placed."""
        return ""

    def receive(self) -> AbstractContextManager[Incoming]:
        """Yield a file to write to, which is removed unless it is placed."""
        return receiving(self._directory)

    @contextmanager
    def placing(self, filename: str) -> Iterator[None]:
        """Lock out other threads and processes that place files."""
        lock = FileLock(self._store.directory / f"upload-{self._index.name}.lock")
        with self._lock:
            ends = time.monotonic() + _LOCK_SECONDS
            try:
                while not lock.acquire():
                    if time.monotonic() > ends:
                        raise UploadFailedError(
                            filename,
                            f"the lock {lock.path} was not free within {_LOCK_SECONDS:.0f} s",
                            "Try again; if it recurs, look for a slow disk or a hanging process",
                        )
                    time.sleep(0.01)  # a file lock has no wait with a deadline
                yield
            except OSError as error:  # of the file, or of the lock in the cache's directory
                raise failed(str(error.filename or filename), error) from error
            finally:
                lock.release()

    def place(self, incoming: Incoming, filename: str, checked: Checked) -> str | None:
        """Give a received file its name, and record its upload, as `Shelf.place`."""
        try:
            path = incoming.place(filename)
        except FileExistsError:
            return hash_file(self._directory / filename)
        _provenance_of(path).unlink(missing_ok=True)  # of an earlier file, removed by hand
        sha256, project = incoming.digests["sha256"], checked.identity.project
        status = path.stat()
        self._store.local_files.put(
            str(path),
            Stamp(status.st_size, status.st_mtime_ns),
            Facts(
                sha256,
                checked.requires_python if checked.metadata_sha256 else None,
                checked.metadata_sha256,
                project,
            ),
        )
        record = HostedFile(filename, sha256, time.time(), checked.requires_python)
        try:
            self._store.hosting.files.put(self._index.key, project, record)
        except StoreFault as error:  # an old record would tell of the new file, such as a yank
            path.unlink(missing_ok=True)
            raise unrecorded(filename, error) from error
        return None

    def attest(self, project: str, filename: str, provenance: bytes) -> None:  # noqa: ARG002 - the interface
        """Write the provenance object beside a file."""
        with receiving(self._directory) as incoming:
            incoming.write(provenance)
            incoming.replace(filename + PROVENANCE_ENDING)

    def sha256_of(self, file: File) -> str:
        """Return the sha256 of a file in the directory, which is read."""
        return hash_file(path_of(file.url))

    def yank(self, project: str, file: File, reason: str | None) -> None:
        """Yank a file, or, with the reason None, unyank it; raises `UploadFailedError`."""
        known = self._store.hosting.files.of_project(self._index.key, project).get(file.filename)
        sha256 = file.sha256 or ""
        if known is None or known.sha256 != sha256:
            modified = path_of(file.url).stat().st_mtime
            known = HostedFile(file.filename, sha256, modified, file.requires_python)
        record = known._replace(yanked=reason)
        try:
            self._store.hosting.files.put(self._index.key, project, record)
        except StoreFault as error:
            raise unrecorded(file.filename, error) from error

    def remove(self, project: str, file: File) -> None:  # noqa: ARG002 - the interface
        """Delete a file from the directory; raises `UploadFailedError`."""
        path = path_of(file.url)
        try:
            path.unlink(missing_ok=True)
            _provenance_of(path).unlink(missing_ok=True)
        except OSError as error:
            raise failed(str(path), error, "deleted") from error
        with best_effort("remove the record of a removed file"):  # it is of this content alone
            self._store.hosting.files.remove(self._index.key, file.filename)


def _provenance_of(path: Path) -> Path:
    return path.with_name(path.name + PROVENANCE_ENDING)
