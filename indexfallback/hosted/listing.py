"""The pages of a hosted index: its directory, with the recorded data of each file."""

from collections.abc import Mapping

import msgspec

from indexfallback.config import Index, Settings
from indexfallback.formats.fields import time_text
from indexfallback.outcome import Kind
from indexfallback.page import File, ProjectPage
from indexfallback.store import Store, StoreFault
from indexfallback.store.hosted_files import HostedFile
from indexfallback.upstream.answers import Limits, PageAnswer
from indexfallback.upstream.directory import DirectoryIndex
from indexfallback.upstream.http import HttpIndex


class Listing(DirectoryIndex):
    """A directory index whose pages say when files were uploaded, and which are yanked."""

    def __init__(self, index: Index, settings: Settings, store: Store) -> None:
        super().__init__(index, settings, store.local_files, HttpIndex(index, settings))
        self._key = index.key
        self._hosting = store.hosting

    def page(
        self, project: str, limits: Limits, etag: str | None, last_modified: str | None
    ) -> PageAnswer:
        """Return the page of a project.

        Raises `StoreFault` if it is not known which of its files are yanked.
        """
        try:
            known = self._hosting.files.of_project(self._key, project)
        except StoreFault:
            answer = super().page(project, limits, etag, last_modified)
            if answer.outcome.kind is not Kind.ABSENT:  # projects of other indexes need no records
                raise
            return answer
        answer = super().page(project, limits, etag, last_modified)
        if known.keys() - _names(answer.page):  # a file was just published
            self.invalidate()
            answer = super().page(project, limits, etag, last_modified)
        if answer.page is None:
            return answer
        return answer._replace(page=completed(answer.page, known))


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
