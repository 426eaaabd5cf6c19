"""The pages of a hosted index: its directory, with the recorded data of each file."""

from collections.abc import Mapping

import msgspec

from indexfallback.config import Index
from indexfallback.formats.fields import time_text
from indexfallback.outcome import Kind
from indexfallback.page import File, ProjectPage
from indexfallback.store import StoreFault
from indexfallback.store.hosted_files import HostedFile
from indexfallback.store.hosting import Hosting
from indexfallback.upstream.answers import (
    FileAnswer,
    Limits,
    NamesAnswer,
    PageAnswer,
    Part,
    PartAnswer,
    Skipped,
)
from indexfallback.upstream.directory import DirectoryIndex
from indexfallback.upstream.storage import StorageIndex


class Listing(StorageIndex):
    """A directory index whose pages say when files were uploaded, and which are yanked."""

    def __init__(self, index: Index, upstream: DirectoryIndex, hosting: Hosting) -> None:
        self._index = index
        self._upstream = upstream
        self._hosting = hosting

    def page(
        self, project: str, limits: Limits, etag: str | None, last_modified: str | None
    ) -> PageAnswer:
        """Return the page of a project.

        Raises `StoreFault` if it is not known which of its files are yanked.
        """
        try:
            known = self._hosting.files.of_project(self._index.key, project)
        except StoreFault:
            answer = self._upstream.page(project, limits, etag, last_modified)
            if answer.outcome.kind is not Kind.ABSENT:  # projects of other indexes need no records
                raise
            return answer
        answer = self._upstream.page(project, limits, etag, last_modified)
        if known.keys() - _names(answer.page):  # a file was just published
            self._upstream.invalidate()
            answer = self._upstream.page(project, limits, etag, last_modified)
        if answer.page is None:
            return answer
        return answer._replace(page=completed(answer.page, known))

    def names(self, limits: Limits) -> NamesAnswer:
        """Return the projects in the directory."""
        return self._upstream.names(limits)

    def open(self, file: File, offset: int, etag: str | None, patience: float) -> FileAnswer:
        """Open a file of one of its pages."""
        return self._upstream.open(file, offset, etag, patience)

    def link_login(self, file: File) -> str:
        """Return the login in a link to a file as it is written there; empty if none is known."""
        return self._upstream.link_login(file)

    def part(self, file: File, wanted: Part, patience: float) -> PartAnswer:
        """Read some bytes of a file of one of its pages."""
        return self._upstream.part(file, wanted, patience)

    def skipped(self) -> tuple[Skipped, ...]:
        """Return the files in the directory that are not offered."""
        return self._upstream.skipped()

    def close(self) -> None:
        """Close the directory."""
        self._upstream.close()


def _names(page: ProjectPage | None) -> set[str]:
    return {file.filename for file in page.files} if page is not None else set()


def completed(page: ProjectPage, known: Mapping[str, HostedFile]) -> ProjectPage:
    """Return the page with the recorded data of its files."""
    files = tuple(_completed(file, known.get(file.filename)) for file in page.files)
    return msgspec.structs.replace(page, files=files)


def _completed(file: File, known: HostedFile | None) -> File:
    if known is None or known.sha256 != file.sha256:  # copied there without an upload
        return file
    return msgspec.structs.replace(
        file,
        upload_time=time_text(int(known.uploaded * 1e9)),
        requires_python=file.requires_python or known.requires_python,
        yanked=False if known.yanked is None else known.yanked or True,
    )
