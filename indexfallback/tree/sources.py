"""Sources of a static tree: a directory, or the answers of the chain."""

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from indexfallback.chain.members import Member
from indexfallback.delivery import deliver
from indexfallback.dists.whole import SETTLED
from indexfallback.errors import FileError, FileMissingError, ProjectNotFoundError, TreeError
from indexfallback.files.download import FileAddress
from indexfallback.files.provenance_body import object_of, read_answer
from indexfallback.names import FileKey
from indexfallback.outcome import Kind
from indexfallback.page import File, ProjectPage
from indexfallback.shim import Shim
from indexfallback.store.disk import hash_file
from indexfallback.upstream.answers import Limits
from indexfallback.upstream.local_distributions import BEING_WRITTEN
from indexfallback.upstream.roots import path_of

log = logging.getLogger("indexfallback")

#: The longest wait for the first byte of a provenance object, seconds.
_PROVENANCE_SECONDS = 15.0
#: The limit for a page, seconds: no client waits, and hashing a large directory takes long.
_PAGE_SECONDS = 86400.0
#: The longest wait for files that were just copied, seconds; they settle in half a second.
_SETTLE_SECONDS = 5.0


class Distribution(NamedTuple):
    """A file of a page, and its path on this machine."""

    file: File
    path: Path
    sha256: str
    #: Its provenance object, if it has a valid one (PEP 740).
    provenance: bytes | None = None


class DirectorySource:
    """A directory, without pins and owners."""

    def __init__(self, member: Member, page_size: int) -> None:
        self._index = member.index
        self._upstream = member.upstream
        self._page_size = page_size

    def _limits(self) -> Limits:
        return Limits(time.monotonic() + _PAGE_SECONDS, self._page_size)

    def names(self) -> Iterable[str]:
        """Return the projects, after waiting for files that are being written.

        Raises `TreeError` if the directory cannot be read.
        """
        ends = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < ends and any(
            item.reason == BEING_WRITTEN for item in self._upstream.skipped()
        ):
            time.sleep(SETTLED / 5)  # no event reports the end of writing
        outcome, names, *_ = self._upstream.names(self._limits())
        if outcome.kind is not Kind.FOUND:
            raise self._error(str(outcome))
        return names

    def page(self, project: str) -> tuple[ProjectPage, Iterable[Distribution]] | None:
        """Return the page of a project and its files, or None if the project does not exist.

        Raises `TreeError` if its page is damaged or has other links.
        """
        answer = self._upstream.page(project, self._limits(), None, None)
        if answer.outcome.kind in (Kind.ABSENT, Kind.LOCAL):  # LOCAL: none of its files is ready
            return None
        if answer.page is None:
            raise self._error(f"{project}: {answer.outcome}")
        elsewhere = [file for file in answer.page.files if not file.url.startswith("file:")]
        if elsewhere:
            raise self._error(f"{project}: its page links to {elsewhere[0].url}")
        return answer.page, (self._distribution(file) for file in answer.page.files)

    def _distribution(self, file: File) -> Distribution:
        found = _on_disk(file)
        if file.provenance is None:
            return found
        wanted = object_of(file, file.provenance)
        outcome, body = read_answer(
            self._upstream.open(wanted, 0, None, _PROVENANCE_SECONDS), found.sha256
        )
        if body is None:
            log.warning("%s is left out: %s", wanted.filename, outcome)
        return found._replace(provenance=body)

    def skipped(self) -> list[str]:
        """Return the files that are not distributions, or are being written."""
        return [f"{item.path}: {item.reason}" for item in self._upstream.skipped()]

    def _error(self, problem: str) -> TreeError:
        return TreeError(str(path_of(self._index.url)), problem, "correct that and run again")


class ChainSource:
    """The chain, or one index of it; offline, only what is cached."""

    def __init__(
        self, shim: Shim, member: Member | None = None, only: Iterable[str] | None = None
    ) -> None:
        """With ``only``, its projects are these normalised ones."""
        self._shim = shim
        self._only = only
        self._member = member
        self._skipped: list[str] = []

    def names(self) -> Iterable[str]:
        """Return all projects of the index; of the chain, or offline, the cached ones.

        Raises `TreeError` if the index does not answer.
        """
        if self._only is not None:
            return self._only
        shim, member = self._shim, self._member
        if member is None or shim.network.is_offline:
            members = shim.members if member is None else [member]
            return shim.store.pages.names([each.index.key for each in members])
        limits = Limits(time.monotonic() + _PAGE_SECONDS, shim.settings.page_size)
        outcome, names, *_ = member.upstream.names(limits)
        if outcome.kind is not Kind.FOUND:
            remedy = "run again when it answers, or publish what is cached of it with --cached"
            raise TreeError(member.index.name, f"its list of names: {outcome}", remedy)
        return names

    def page(self, project: str) -> tuple[ProjectPage, Iterable[Distribution]] | None:
        """Return the page of a project as clients see it, and its files, fetched if needed.

        Offline, files that are not cached are left out, and projects without files are None.
        Raises `IndexFallbackError` if the page or a file is not available.
        """
        index = self._member.index.name if self._member is not None else None
        try:
            answer = self._shim.fallback.page(project, index)
            page = self._shim.offer(answer)
        except ProjectNotFoundError:
            return None
        found = (self._distribution(answer.owner.group, page, file) for file in page.files)
        here = (each for each in found if each is not None)
        if not self._shim.network.is_offline:
            return page, here
        held = list(here)
        return (page, held) if held else None

    def _distribution(self, owner: str, page: ProjectPage, file: File) -> Distribution | None:
        address = FileAddress(owner, FileKey(page.name, file.sha256), file.filename)
        if file.url.startswith("file:"):
            return _on_disk(file)._replace(provenance=self._provenance(address, file))
        try:
            blob = deliver(self._shim, address)
        except FileMissingError as error:
            if not self._shim.network.is_offline:
                raise
            self._skipped.append(f"{file.filename}: {error.cause}")
            return None
        # The user of the web server reads it by its link; the store itself stays private.
        blob.path.chmod(0o644)
        return Distribution(file, blob.path, blob.sha256, self._provenance(address, file))

    def _provenance(self, address: FileAddress, file: File) -> bytes | None:
        if file.provenance is None:
            return None
        try:
            return self._shim.downloads.provenance.get(address)
        except FileError as error:
            log.warning("%s is left out: %s", error.filename, error.cause)
            return None

    def skipped(self) -> list[str]:
        """Return the files that are not cached."""
        return self._skipped


def _on_disk(file: File) -> Distribution:
    path = path_of(file.url)
    return Distribution(file, path, file.sha256 or hash_file(path))


Source = DirectorySource | ChainSource
