"""A hosted index: publishes, yanks and removes files, which its shelf keeps.

What is changed is recorded in the log of events.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Protocol

from packaging.version import Version

from indexfallback.config import Index, Settings
from indexfallback.errors import (
    ConfigError,
    UploadExistsError,
    UploadUnavailableError,
)
from indexfallback.hosted.attestations import provenance_of
from indexfallback.hosted.change_log import ChangeLog
from indexfallback.hosted.checks import check_file, check_filename, identity_of
from indexfallback.hosted.form import Form, check_digests
from indexfallback.hosted.opening import open_shelf
from indexfallback.hosted.owners import check_owner
from indexfallback.hosted.permit import Permit
from indexfallback.hosted.publication import Published, Received
from indexfallback.hosted.receiving import Incoming
from indexfallback.names import version_in
from indexfallback.outcome import Kind
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.store.events import Action, Actor, Begun, Event
from indexfallback.upstream.answers import FileAnswer, Limits, Upstream
from indexfallback.words import one_line

#: Versions that a message shows.
_SHOWN = 5
_NEW_VERSION = "Published files cannot change: release a new version"


class Opened(Protocol):
    """An index of the chain that is opened at its first use, which takes 0.2 s."""

    @property
    def upstream(self) -> Upstream:
        """What lists the files of the index."""
        ...


class HostedIndex:
    """One hosted index."""

    def __init__(self, index: Index, settings: Settings, store: Store, opened: Opened) -> None:
        self.index = index
        self._settings = settings
        self._store = store
        self._opened = opened
        self._shelf = open_shelf(index, store)
        self._log = ChangeLog(index, store, self.files)

    def check(self) -> None:
        """Return if uploads can be taken, for all that is known; raises `ConfigError`."""
        if problem := self._shelf.problem():
            raise ConfigError(
                self._settings.origins.get(f"index.{self.index.name}.upload", "upload"),
                f"{self.index.url} cannot take uploads: {problem}",
                "use an object store that honours conditions, or a directory",
            )

    def complete_log(self, before: float) -> list[Begun]:
        """Complete the log of events after a kill, as `ChangeLog.complete`."""
        return self._log.complete(before)

    def receive(self) -> AbstractContextManager[Incoming]:
        """Yield a file to write to, which is removed unless it is published."""
        return self._shelf.receive()

    def publish(
        self,
        incoming: Incoming,
        filename: str,
        form: Form | None,
        permit: Permit,
        attestations: bytes = b"[]",
    ) -> Published:
        """Check a received file, and publish it under its name.

        ``attestations`` is a list in JSON (PEP 740). Those of a file that was there replace its
        earlier ones.

        Raises:
            UploadForbiddenError: the permit is not for its project.
            UploadRefusedError: it cannot be installed, differs from its name, the form or its
                attestations, or its project belongs to another index.
            UploadExistsError: another file has the name.
            UploadFailedError: the shelf cannot be written.

        """
        self.check_name(filename, permit)
        received = self.received(incoming, filename, form, permit)
        identity, sha256 = received.checked.identity, received.sha256
        provenance = provenance_of(attestations, filename, identity, sha256)
        event = self.event("uploaded", identity.project, filename, permit.actor)
        (was_there,) = self.place([received._replace(provenance=provenance)], event)
        warnings = received.checked.warnings
        return Published(filename, identity, sha256, was_there, warnings, provenance is not None)

    def received(
        self,
        incoming: Incoming,
        filename: str,
        form: Form | None,
        permit: Permit,
        origin: Index | None = None,
    ) -> Received:
        """Return a received file that passes the checks; raises as `publish`.

        That its project belongs to ``origin``, an index from which it is promoted, is no reason to
        refuse it.
        """
        if form is not None:
            check_digests(form, incoming.digests, filename)
        checked = check_file(incoming.path, filename, form)
        project = checked.identity.project
        permit.check(filename, project)
        self._check_owner(filename, project, origin)
        return Received(incoming, filename, checked)

    def event(
        self, action: Action, project: str, subject: str, actor: Actor, detail: str = ""
    ) -> Event:
        """Return the event of a change of this index that is made now."""
        return Event(time.time(), action, project, subject, self.index.name, actor, detail)

    def place(self, received: Sequence[Received], event: Event) -> list[bool]:
        """Give files of one project their names, all of them or none; tell which were there.

        The event is recorded, unless all were there. Raises `UploadExistsError` and
        `UploadFailedError`.
        """
        with self._shelf.placing(received[0].filename):
            listed = self.files(event.project)
            known = {each.filename for each in received if self._is_there(each, listed)}
            new = {each.filename: each.sha256 for each in received if each.filename not in known}
            recording = self._log.recording(event, new) if new else nullcontext()
            with recording, ExitStack() as undoing:
                for each in received:
                    if each.filename not in known:
                        there = self._shelf.place(each.incoming, each.filename, each.checked)
                        if there is not None and self._is_same(each, there):
                            known.add(each.filename)
                        else:
                            undoing.callback(self._take_back, each)
                    if each.provenance is not None:
                        self._shelf.attest(event.project, each.filename, each.provenance)
                undoing.pop_all()
        return [each.filename in known for each in received]

    def check_name(self, filename: str, permit: Permit, origin: Index | None = None) -> None:
        """Refuse a file whose name is not valid, or shows that its project is not allowed here.

        Raises `UploadRefusedError` and `UploadForbiddenError`; ``origin`` is as in `received`.
        """
        project = check_filename(filename)
        if project is not None:
            permit.check(filename, project)
            self._check_owner(filename, project, origin)

    def _check_owner(self, filename: str, project: str, origin: Index | None) -> None:
        owners = self._store.ledger.owners(project)
        check_owner(filename, project, self.index, self._settings.indexes, owners, origin=origin)

    def open(self, file: File) -> FileAnswer:
        """Open a file that this index lists, or what lies beside one."""
        return self._opened.upstream.open(file, 0, None, self._settings.deadline)

    def files(self, project: str) -> tuple[File, ...]:
        """Return the files of a normalised project.

        Raises `UploadUnavailableError` if they are not known.
        """
        limits = Limits(time.monotonic() + self._settings.deadline, self._settings.page_size)
        answer = self._opened.upstream.page(project, limits, None, None)
        if answer.page is not None:
            return answer.page.files
        # LOCAL: the project is there, and none of its files is ready.
        if answer.outcome.is_unavailable and answer.outcome.kind is not Kind.LOCAL:
            name = self.index.name
            raise UploadUnavailableError(
                project,
                f"it is not known what {name} has ({answer.outcome})",
                "Make it answer, and try again",
            )
        return ()

    def files_of(self, project: str, version: Version) -> list[File]:
        """Return the files of one version of a normalised project."""
        files = self.files(project)
        return [file for file in files if version_of(file, project) == version]

    def without(self, project: str, version: Version) -> str:
        """Return the words for a version that has no file, with the newest that have."""
        found = {version_of(file, project) for file in self.files(project)}
        versions = sorted(each for each in found if each is not None)
        words = f"{self.index.name} has no file of {project}"
        if not versions:
            return words
        return f"{words} {version}; it has files of {', '.join(map(str, versions[-_SHOWN:]))}"

    def yank(self, project: str, version: Version, reason: str | None, actor: Actor) -> list[File]:
        """Yank a version, or, with the reason None, unyank it; raises `UploadError`.

        Returns its files; without any, nothing was done.
        """
        action: Action = "unyanked" if reason is None else "yanked"
        reason = None if reason is None else one_line(reason)
        event = self.event(action, project, str(version), actor, reason or "")
        return self._withdraw(version, event, lambda file: self._shelf.yank(project, file, reason))

    def remove(self, project: str, version: Version, actor: Actor) -> list[File]:
        """Delete a version; raises `UploadError`. Returns its files as `yank`."""
        event = self.event("removed", project, str(version), actor)
        return self._withdraw(version, event, lambda file: self._shelf.remove(project, file))

    def _withdraw(
        self, version: Version, event: Event, withdraw: Callable[[File], None]
    ) -> list[File]:
        files = self.files_of(event.project, version)
        if files:
            # 1.0.0 in a request is the release 1.0 of the files.
            event = event._replace(subject=str(version_of(files[0], event.project)))
            with self._log.recording(event, dict.fromkeys((f.filename for f in files), "")):
                for file in files:
                    withdraw(file)
        return files

    def own(self, project: str) -> None:
        """Record that this index owns a normalised project, as others may already."""
        self._store.ledger.record_page(self.index.key, project)

    def _is_there(self, received: Received, listed: Sequence[File]) -> bool:
        """Tell whether a file is among those of its project; raises `UploadExistsError`."""
        filename, identity = received.filename, received.checked.identity
        for file in listed:
            if file.filename == filename:
                return self._is_same(received, self._shelf.sha256_of(file))
            if identity_of(file.filename, identity.project) == identity:
                raise UploadExistsError(
                    filename, f"{file.filename} is another spelling of the name", _NEW_VERSION
                )
        pins = self._store.pins.of_name(identity.project, filename)
        if pins and all(pin.sha256 != received.sha256 for pin in pins):
            served = f"it was served before with other content (sha256 {pins[0].sha256})"
            raise UploadExistsError(filename, served, _NEW_VERSION)
        return False

    def _take_back(self, received: Received) -> None:
        """Remove a file that was placed just now."""
        project = received.checked.identity.project
        for file in self.files(project):
            if file.filename == received.filename:
                self._shelf.remove(project, file)

    def _is_same(self, received: Received, there: str) -> bool:
        """Return True if the file there has this sha256; raises `UploadExistsError` if not."""
        if there != received.sha256:
            raise UploadExistsError(
                received.filename,
                f"{self.index.name} has it with other content (sha256 {there})",
                _NEW_VERSION,
            )
        return True


def version_of(file: File, project: str) -> Version | None:
    """Return the version in the name of a file of a project; None if it has none."""
    number = version_in(file.filename, project)
    return Version(number) if number is not None else None
