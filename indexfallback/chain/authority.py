"""What a public index says of the files of its mirrors: its sha256 is right, and theirs is not."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from indexfallback.page import ProjectPage
from indexfallback.store.pins import Pin


class Correction(NamedTuple):
    """A file that a mirror has with other content than its public index."""

    filename: str
    #: Of the public index, and of the mirror.
    sha256: str
    wrong: str


def corrections(
    mirror: ProjectPage, authority: ProjectPage, pins: Iterable[Pin]
) -> Iterator[Correction]:
    """Yield where a mirror's page, or what was pinned by it, differs from the authority's page.

    ``pins`` are those that came from the mirror.
    """
    right = {file.filename: file.sha256 for file in authority.files if file.sha256 is not None}
    had = {file.filename: file.sha256 for file in mirror.files if file.sha256 is not None}
    had |= {pin.filename: pin.sha256 for pin in pins}
    for filename, sha256 in had.items():
        if right.get(filename, sha256) != sha256:
            yield Correction(filename, right[filename], sha256)


def corrected(mirror: ProjectPage, authority: ProjectPage) -> ProjectPage:
    """Return a mirror's page with the authority's entries for files that differ from them."""
    right = {file.filename: file for file in authority.files if file.sha256 is not None}
    files = (
        right[file.filename]
        if file.filename in right and file.sha256 not in (None, right[file.filename].sha256)
        else file
        for file in mirror.files
    )
    return msgspec.structs.replace(mirror, files=tuple(files))
