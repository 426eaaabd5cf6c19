"""A hosted index: publishes, yanks and removes files.

Locks: with ``HostedIndex._lock``, one thread at a time places a file. It is held for a scan of
the directory and a link, never while bytes are received or checked.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from packaging.version import Version

from indexfallback.config import Index, Settings
from indexfallback.errors import UploadExistsError, UploadFailedError, UploadRefusedError
from indexfallback.hosted.checks import Checked, Identity, check_file, check_filename, identity_of
from indexfallback.hosted.form import Form, check_digests
from indexfallback.hosted.receiving import Incoming, failed, receiving
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.store.disk import hash_file
from indexfallback.store.hosted_files import HostedFile
from indexfallback.store.locks import FileLock
from indexfallback.upstream.answers import Limits, Upstream
from indexfallback.upstream.facts import Facts, Stamp
from indexfallback.upstream.roots import path_of

#: Timeout in seconds. Another process places a file in milliseconds, or longer on a slow disk.
_LOCK_SECONDS = 5.0


class Opened(Protocol):
    """An index of the chain that is opened at its first use, which takes 0.2 s."""

    @property
    def upstream(self) -> Upstream:
        """The directory."""
        ...


class Published(NamedTuple):
    """A published file."""

    filename: str
    identity: Identity
    sha256: str
    #: Whether it was published before with the same content.
    was_there: bool


class HostedIndex:
    """One hosted index."""

    def __init__(self, index: Index, settings: Settings, store: Store, opened: Opened) -> None:
        self.index = index
        self._settings = settings
        self._store = store
        self._opened = opened
        self._directory = path_of(index.url)
        self._lock = threading.Lock()

    @contextmanager
    def receive(self) -> Iterator[Incoming]:
        """Yield a file to write to, which is removed unless it is published."""
        with receiving(self._directory) as incoming:
            yield incoming

    def publish(self, incoming: Incoming, filename: str, form: Form | None) -> Published:
        """Check a received file, and publish it under its name.

        Raises:
            UploadRefusedError: it differs from its name or the form, or its project belongs to
                another index.
            UploadExistsError: another file has the name.
            UploadFailedError: the directory cannot be written.

        """
        self.check_name(filename)
        digests = incoming.digests
        if form is not None:
            check_digests(form, digests, filename)
        checked = check_file(incoming.path, filename, form)
        self._check_owner(filename, checked.identity.project)
        try:
            with self._locked(filename):
                was_there = self._place(incoming, filename, checked, digests["sha256"])
        except OSError as error:
            raise failed(filename, error) from error
        return Published(filename, checked.identity, digests["sha256"], was_there)

    def check_name(self, filename: str) -> None:
        """Refuse a file whose name is not valid, or shows that its project is another index's.

        Raises `UploadRefusedError`.
        """
        project = check_filename(filename)
        if project is not None:
            self._check_owner(filename, project)

    def _check_owner(self, filename: str, project: str) -> None:
        """Refuse a file of another index's project; raises `UploadRefusedError`."""
        others = [index for index in self._settings.indexes if index is not self.index]
        for index in others:
            if index.claims(project) and not self.index.claims(project):
                raise UploadRefusedError(
                    filename,
                    f"{index.name} claims {project}, so {self.index.name} cannot serve it",
                    f"Change projects of {index.name} or {self.index.name}, or the name",
                )
        owners = self._store.ledger.owners(project)
        for index in others:
            known = owners.get(index.key) if index.is_private else None
            is_owner = known is not None and known.is_owner(index.defer_copies)
            if is_owner and self.index.key not in owners:
                raise UploadRefusedError(
                    filename,
                    f"{project} belongs to {index.name}",
                    f"Choose another name. If the project moves here on purpose, run "
                    f"`indexfallback cache disown {project}`",
                )

    def files(self, project: str) -> tuple[File, ...]:
        """Return the files of a normalised project."""
        limits = Limits(time.monotonic() + self._settings.deadline, self._settings.page_size)
        page = self._opened.upstream.page(project, limits, None, None).page
        return page.files if page is not None else ()

    def files_of(self, project: str, version: Version) -> list[File]:
        """Return the files of one version of a normalised project."""
        return [
            file
            for file in self.files(project)
            if (identity := identity_of(file.filename, project)) is not None
            and Version(identity.version) == version
        ]

    def yank(self, project: str, file: File, reason: str | None) -> None:
        """Yank a file, or, with the reason None, unyank it; raises sqlite3.Error."""
        known = self._store.hosting.files.of_project(self.index.key, project).get(file.filename)
        sha256 = file.sha256 or ""
        if known is None or known.sha256 != sha256:
            modified = path_of(file.url).stat().st_mtime
            known = HostedFile(file.filename, sha256, modified, file.requires_python)
        self._store.hosting.files.put(self.index.key, project, known._replace(yanked=reason))

    def remove(self, file: File) -> None:
        """Delete a file from the directory; raises OSError."""
        path_of(file.url).unlink(missing_ok=True)
        self._store.hosting.files.remove(self.index.key, file.filename)

    def _place(self, incoming: Incoming, filename: str, checked: Checked, sha256: str) -> bool:
        """Give a checked file its name; tell whether it was there already."""
        project = checked.identity.project
        for file in self.files(project):
            if file.filename == filename:
                return self._is_same(path_of(file.url), filename, sha256)
            if identity_of(file.filename, project) == checked.identity:
                raise UploadExistsError(
                    filename, f"{file.filename} is another spelling of the name", _NEW_VERSION
                )
        pins = self._store.pins.of_name(project, filename)
        if pins and all(pin.sha256 != sha256 for pin in pins):
            served = f"it was served before with other content (sha256 {pins[0].sha256})"
            raise UploadExistsError(filename, served, _NEW_VERSION)
        try:
            path = incoming.place(filename)
        except FileExistsError:
            return self._is_same(self._directory / filename, filename, sha256)
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
        self._store.hosting.files.put(self.index.key, project, record)
        return False

    def _is_same(self, path: Path, filename: str, sha256: str) -> bool:
        """Return True if the file has this content; raises `UploadExistsError` if not."""
        there = hash_file(path)
        if there != sha256:
            raise UploadExistsError(
                filename, f"{self.index.name} has it with other content (sha256 {there})",
                _NEW_VERSION,
            )  # fmt: skip
        return True

    @contextmanager
    def _locked(self, filename: str) -> Iterator[None]:
        """Lock out other threads and processes that place files."""
        lock = FileLock(self._store.directory / f"upload-{self.index.name}.lock")
        ends = time.monotonic() + _LOCK_SECONDS
        with self._lock:
            while not lock.acquire():
                if time.monotonic() > ends:
                    raise UploadFailedError(
                        filename, "another upload has the lock", "Check for a slow disk"
                    )
                time.sleep(0.01)  # a file lock has no wait with a deadline
            try:
                yield
            finally:
                lock.release()


_NEW_VERSION = "Published files cannot change: release a new version"
