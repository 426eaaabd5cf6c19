"""The address of a file at its index, as a client requests it, and the file of a page that has it.

Addresses are compared with percent-encoding undone, without empty and dot segments: servers of this
kind decode a path before the application sees it (PEP 3333), and ``+`` is ``%2B``.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from indexfallback.names import METADATA_ENDING
from indexfallback.origin import origin_of
from indexfallback.page import File, ProjectPage

_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", re.ASCII)


class FileUrl(NamedTuple):
    """An address of a distribution, or of its metadata."""

    #: As in `origin.origin_of`.
    origin: str
    #: The path without its percent-encoding (`segments`), and the query as it came.
    path: tuple[str, ...]
    query: str
    #: The normalised project of the file, if its name or an index's address tells.
    project: str | None
    #: Projects that folders may be named after.
    others: tuple[str, ...] = ()

    @property
    def projects(self) -> tuple[str, ...]:
        """All projects that the file may belong to, the likeliest one first."""
        return self.others if self.project is None else (self.project, *self.others)

    @property
    def filename(self) -> str:
        """The name of the file that is asked for."""
        return self.path[-1]

    @property
    def listed(self) -> str:
        """The name of the distribution, which is on the page also where its metadata is meant."""
        return self.filename.removesuffix(METADATA_ENDING)


class ProvenanceUrl(NamedTuple):
    """An address of the provenance object of a distribution."""

    #: Where the object is, as in `FileUrl`.
    origin: str
    path: tuple[str, ...]
    query: str
    #: The distribution's name, and the normalised project that it tells.
    filename: str
    project: str


def segments(path: str) -> tuple[str, ...]:
    """Return the segments of a decoded path without the empty ones and dots (RFC 3986, 5.2.4)."""
    found: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del found[-1:]
        elif segment not in ("", "."):
            found.append(segment)
    return tuple(found)


def file_at(page: ProjectPage, url: FileUrl) -> File | None:
    """Return the file that a page has at an address, or None.

    Of several that differ in the query alone, as signed addresses do, the equal one is meant, or
    any of them if they are the same file.
    """
    path = (*url.path[:-1], url.listed)
    here = [
        file
        for file in page.files
        # The names are compared first: to parse thousands of addresses takes long.
        if file.filename == url.listed and _place(file) == (url.origin, path)
    ]
    return next((f for f in here if urlsplit(f.url).query == url.query), None) or _only(here, url)


def file_named(page: ProjectPage, url: FileUrl) -> File | None:
    """Return the file of a page with the name in an address, or None if that may be several."""
    return _only([file for file in page.files if file.filename == url.listed], url)


def provenance_at(page: ProjectPage, url: ProvenanceUrl) -> File | None:
    """Return the file of a page whose provenance object is at an address, or None."""
    for file in page.files:
        stated = file.provenance if file.filename == url.filename else None
        if stated is not None and _place_of(stated) == (url.origin, url.path):
            return file
    return None


def _place(file: File) -> tuple[str | None, tuple[str, ...]]:
    return _place_of(file.url)


def _place_of(url: str) -> tuple[str | None, tuple[str, ...]]:
    return origin_of(url), segments(unquote(urlsplit(url).path))


def _only(files: Sequence[File], url: FileUrl) -> File | None:
    """Return the file whose sha256 is in the address, else the only one."""
    stated = {digest for part in (*url.path, url.query) for digest in _SHA256.findall(part)}
    named = [file for file in files if file.sha256 in stated]
    if named:
        return named[0]
    return files[0] if len({file.sha256 for file in files}) == 1 else None
