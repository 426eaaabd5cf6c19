"""Finds the file for an address at an intercepted host, on the pages of the chain.

A file is found by the address that a page has for it. At a host that only the chain uses, it is
also found by its name, since addresses in lock files outlive those on pages. Other hosts may have
files of anybody, so there only the address counts.
"""

from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

from indexfallback.chain.fallback import Fallback
from indexfallback.chain.members import Member
from indexfallback.config import Index
from indexfallback.config.hosts import chain_urls, stated_origins
from indexfallback.errors import (
    FileMissingError,
    FileUnavailableError,
    ProjectError,
    ProjectNotFoundError,
)
from indexfallback.files.file_url import (
    FileUrl,
    ProvenanceUrl,
    file_at,
    file_named,
    provenance_at,
    segments,
)
from indexfallback.files.lookup import not_cached
from indexfallback.files.pinned import FileAddress
from indexfallback.names import FileKey, normalize
from indexfallback.origin import origin_of
from indexfallback.page import File, ProjectPage
from indexfallback.store.origins import origins_on
from indexfallback.upstream.answers import ClientLogin


class FilesByUrl:
    """The addresses on this server of files at intercepted hosts."""

    def __init__(self, fallback: Fallback) -> None:
        self._fallback = fallback
        self._stated = stated_origins(fallback.settings.indexes)
        #: Origin and path of each.
        self._of_chain = {
            (origin_of(url), segments(unquote(urlsplit(url).path)))
            for url in chain_urls(fallback.settings.indexes)
        }

    def find(
        self, url: FileUrl, index: Index | None, login: ClientLogin | None
    ) -> FileAddress | None:
        """Return the address of a file on this server; None if the chain does not have it.

        ``index`` is the index that the address is at, if any, and ``login`` is the client's login
        for it. Raises `FileError` if the project belongs to another index, or if its owner is not
        known.
        """
        return (
            self._stored(url, file_at)
            or self._stored(url, file_named)
            or self._asked(url, index, login)
            # To answer, the chain may have asked the index that has this address, and passed it.
            or self._stored(url, file_at)
        )

    def find_provenance(self, url: ProvenanceUrl) -> FileAddress | None:
        """Return the address of the file that a provenance object is of.

        None if no stored page states an object there. Those of a directory or a bucket, which have
        no address that clients know, are beside the files.
        """
        members = sorted(
            self._fallback.members, key=lambda member: member.index.name != member.index.group
        )
        for member in members:
            page = self._fallback.store.pages.load(member.index.key, url.project)
            file = provenance_at(page, url) if page is not None else None
            if file is not None:
                key = FileKey(url.project, file.sha256)
                return FileAddress(member.index.group, key, file.filename)
        beside = FileUrl(url.origin, (*url.path[:-1], url.filename), url.query, url.project)
        found = self._stored(beside, file_named)
        owner = self._fallback.members.get(found.owner) if found is not None else None
        return found if owner is not None and owner.index.is_read_each_time else None

    def _stored(
        self, url: FileUrl, find: Callable[[ProjectPage, FileUrl], File | None]
    ) -> FileAddress | None:
        """Return the file that ``find`` finds on a stored page of one of its projects."""
        for project in url.projects:
            for member in self._members(url, is_by_name=find is file_named):
                page = self._fallback.store.pages.load(member.index.key, project)
                file = find(page, url) if page is not None else None
                if file is not None:
                    return _address(member.index, project, file, url)
        return None

    def _members(self, url: FileUrl, *, is_by_name: bool) -> Iterator[Member]:
        """Yield the indexes whose pages may list a file: of a group, the public one first."""
        members = [
            m for m in self._fallback.members if not is_by_name or self._is_here(m.index, url)
        ]
        yield from sorted(members, key=lambda member: member.index.name != member.index.group)

    def _is_here(self, index: Index, url: FileUrl) -> bool:
        """Tell whether an address is one of an index's files, by their names.

        A directory or a bucket has no address that clients know: its files are beside the pages
        of the whole chain.
        """
        if index.is_read_each_time:
            *root, folder, _ = ("", *url.path)
            is_of_chain = (url.origin, tuple(root[1:])) in self._of_chain
            return is_of_chain and normalize(folder) == url.project
        return index.group in self._stated.get(url.origin, frozenset())

    def _asked(
        self, url: FileUrl, index: Index | None, login: ClientLogin | None
    ) -> FileAddress | None:
        """Return the file as the chain's page of its project lists it."""
        if url.project is None:
            return None
        first = index.name if index is not None else None
        try:
            answer = self._fallback.page(url.project, first=first, login=login)
        except ProjectError as error:
            self._check(url, url.project, error, is_at_index=index is not None)
            return None
        is_here = self._is_here(answer.owner, url)
        file = file_at(answer.page, url) or (file_named(answer.page, url) if is_here else None)
        if file is not None:
            return _address(answer.owner, url.project, file, url)
        if answer.owner.is_private and not is_here and url.origin not in origins_on([answer.page]):
            raise FileMissingError(
                url.filename,
                f"{url.project} belongs to {answer.owner.name}, which does not have its files here",
                f"Lock again: this address is of a file of another project named {url.project}.",
                answer.owner.name,
            )
        return None

    def _check(self, url: FileUrl, project: str, error: ProjectError, *, is_at_index: bool) -> None:
        """Return if the host itself may answer, although the chain has no page of the project.

        Raises `FileError`.
        """
        cause = self._fallback.network.offline_state.cause
        if cause is not None:
            raise not_cached(url.filename, cause)
        claiming = [i for i in self._fallback.settings.indexes if i.claims(project)]
        here = self._stated.get(url.origin, frozenset())
        if claiming and not any(i.group in here for i in claiming):
            raise FileMissingError(url.filename, error.cause, error.remedy, claiming[0].name)
        if error.owner:
            raise FileMissingError(url.filename, error.cause, error.remedy, error.owner)
        # Where only the public index cannot be asked, the host of its files perhaps can.
        is_unavailable = not isinstance(error, ProjectNotFoundError)
        if is_unavailable and (error.decided_by or is_at_index):
            raise FileUnavailableError(
                url.filename, error.cause, error.remedy, wants_login=error.wants_login
            )


def _address(owner: Index, project: str, file: File, url: FileUrl) -> FileAddress:
    return FileAddress(owner.group, FileKey(project, file.sha256), url.filename)
