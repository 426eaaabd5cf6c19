"""How a page that is sent links to its files: at this server, or at their index."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote

import msgspec

from indexfallback.config.bucket_url import SCHEME
from indexfallback.names import PROVENANCE_ENDING, FileKey
from indexfallback.page import File, ProjectPage

#: The beginnings of the addresses of files that no client can ask for: in a directory, in a bucket.
_LOCAL = ("file:", SCHEME)


@dataclass(frozen=True)
class Links:
    """Links to the files of this server; as a value, so that it can be part of a key."""

    #: What leads from the page to the root of this server; it ends with a slash.
    to_root: str
    #: The absolute address of that root, which ends with a slash, too.
    root: str = ""

    def href(self, owner: str, page: ProjectPage) -> Callable[[File], str]:
        """Return what gives the address of a file on a page; ``owner`` is a group."""
        return partial(self._ours, owner, page)

    def stated(self, owner: str, page: ProjectPage) -> ProjectPage:
        """Return a page that states where this server has the provenance objects of its files.

        Those addresses have to be absolute (PEP 740).
        """
        return self._with_provenance(owner, page, "")

    def _with_provenance(
        self, owner: str, page: ProjectPage, ours: str | tuple[str, ...]
    ) -> ProjectPage:
        """Change the addresses of provenance objects that begin with ``ours`` to this server's."""

        def is_ours(file: File) -> bool:
            return file.provenance is not None and file.provenance.startswith(ours)

        if not any(map(is_ours, page.files)):
            return page
        beside = replace(self, to_root=self.root).href(owner, page)
        files = (
            msgspec.structs.replace(file, provenance=beside(file) + PROVENANCE_ENDING)
            if is_ours(file)
            else file
            for file in page.files
        )
        return msgspec.structs.replace(page, files=tuple(files))

    def promises(self, file: File) -> bool:  # noqa: ARG002 - the interface
        """Tell whether a wheel has metadata where the link leads, whatever its index offers."""
        return True

    def _ours(self, owner: str, page: ProjectPage, file: File) -> str:
        key = FileKey(page.name, file.sha256)
        return f"{self.to_root}files/{owner}/{key}/{quote(file.filename)}"


@dataclass(frozen=True)
class DirectLinks(Links):
    """Links to files at their index, as it has them; files that are not behind HTTP are here."""

    #: The beginnings of addresses at which this server answers for the index.
    answered: tuple[str, ...] = ()
    #: The address of the simple API that was asked, whose pages these are then beside.
    asked: str = ""

    @classmethod
    def answering(cls, asked: str, origins: Iterable[str]) -> "DirectLinks":
        """Return links of pages of the simple API at ``asked``; this server answers for origins."""
        return cls("", answered=tuple(f"{origin}/" for origin in origins), asked=asked)

    def href(self, owner: str, page: ProjectPage) -> Callable[[File], str]:
        """Return what gives the address of a file on a page; ``owner`` is a group."""
        ours = partial(self._beside, page) if self.asked else super().href(owner, page)
        return lambda file: ours(file) if file.url.startswith(_LOCAL) else file.url

    def stated(self, owner: str, page: ProjectPage) -> ProjectPage:
        """Return a page that states where its index has provenance objects, local ones but here."""
        return self._with_provenance(owner, page, _LOCAL)

    def _beside(self, page: ProjectPage, file: File) -> str:
        """Return an address that is the same whichever port this server has."""
        return f"{self.asked}{page.name}/{quote(file.filename)}"

    def promises(self, file: File) -> bool:
        """Tell whether a wheel has metadata where the link leads, whatever its index offers."""
        return file.url.startswith((*_LOCAL, *self.answered))
