"""A hosted index: publishes, yanks and removes files, which its shelf keeps."""

import time
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from packaging.version import Version

from indexfallback.config import Index, Settings
from indexfallback.errors import UploadExistsError, UploadRefusedError
from indexfallback.hosted.attestations import provenance_of
from indexfallback.hosted.checks import Checked, Identity, check_file, check_filename, identity_of
from indexfallback.hosted.directory_shelf import DirectoryShelf
from indexfallback.hosted.form import Form, check_digests
from indexfallback.hosted.receiving import Incoming
from indexfallback.hosted.shelf import Shelf
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.upstream.answers import Limits, Upstream


class Opened(Protocol):
    """An index of the chain that is opened at its first use, which takes 0.2 s."""

    @property
    def upstream(self) -> Upstream:
        """What lists the files of the index."""
        ...


class Published(NamedTuple):
    """A published file."""

    filename: str
    identity: Identity
    sha256: str
    #: Whether it was published before with the same content.
    was_there: bool
    #: What its publisher should mend, though it can be installed.
    warnings: tuple[str, ...] = ()
    #: Whether attestations came with it.
    is_attested: bool = False


class HostedIndex:
    """One hosted index."""

    def __init__(self, index: Index, settings: Settings, store: Store, opened: Opened) -> None:
        self.index = index
        self._settings = settings
        self._store = store
        self._opened = opened
        self._shelf: Shelf = DirectoryShelf(index, store)

    def receive(self) -> AbstractContextManager[Incoming]:
        """Yield a file to write to, which is removed unless it is published."""
        return self._shelf.receive()

    def publish(
        self, incoming: Incoming, filename: str, form: Form | None, attestations: bytes = b"[]"
    ) -> Published:
        """Check a received file, and publish it under its name.

        ``attestations`` is a list in JSON (PEP 740). Those of a file that was there replace its
        earlier ones.

        Raises:
            UploadRefusedError: it cannot be installed, differs from its name, the form or its
                attestations, or its project belongs to another index.
            UploadExistsError: another file has the name.
            UploadFailedError: the shelf cannot be written.

        """
        self.check_name(filename)
        digests = incoming.digests
        if form is not None:
            check_digests(form, digests, filename)
        checked = check_file(incoming.path, filename, form)
        identity, sha256 = checked.identity, digests["sha256"]
        self._check_owner(filename, identity.project)
        provenance = provenance_of(attestations, filename, identity, sha256)
        with self._shelf.placing(filename):
            was_there = self._place(incoming, filename, checked, sha256)
            if provenance is not None:
                self._shelf.attest(identity.project, filename, provenance)
        return Published(
            filename, identity, sha256, was_there, checked.warnings, provenance is not None
        )

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
        self._shelf.yank(project, file, reason)

    def remove(self, project: str, file: File) -> None:
        """Delete a file of a normalised project; raises OSError."""
        self._shelf.remove(project, file)

    def _place(self, incoming: Incoming, filename: str, checked: Checked, sha256: str) -> bool:
        """Give a checked file its name; tell whether it was there already."""
        project = checked.identity.project
        for file in self.files(project):
            if file.filename == filename:
                return self._is_same(filename, sha256, self._shelf.sha256_of(file))
            if identity_of(file.filename, project) == checked.identity:
                raise UploadExistsError(
                    filename, f"{file.filename} is another spelling of the name", _NEW_VERSION
                )
        pins = self._store.pins.of_name(project, filename)
        if pins and all(pin.sha256 != sha256 for pin in pins):
            served = f"it was served before with other content (sha256 {pins[0].sha256})"
            raise UploadExistsError(filename, served, _NEW_VERSION)
        there = self._shelf.place(incoming, filename, checked)
        return there is not None and self._is_same(filename, sha256, there)

    def _is_same(self, filename: str, sha256: str, there: str) -> bool:
        """Return True if the file there has this sha256; raises `UploadExistsError` if not."""
        if there != sha256:
            raise UploadExistsError(
                filename, f"{self.index.name} has it with other content (sha256 {there})",
                _NEW_VERSION,
            )  # fmt: skip
        return True


_NEW_VERSION = "Published files cannot change: release a new version"
