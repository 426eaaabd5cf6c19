"""What one index of a group says of the files of another.

The sha256 of the public index are right, and no others of its mirrors are. At the address of an
index, its own entries are what a lock file gets, whichever index of the group has sent the page.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from indexfallback.page import File, ProjectPage
from indexfallback.store.pins import Pin


class Correction(NamedTuple):
    """A file that a mirror has with other content than its public index."""

    filename: str
    #: All of the public index for this name, and that of the mirror.
    right: tuple[str, ...]
    wrong: str


def corrections(
    mirror: ProjectPage, authority: ProjectPage, pins: Iterable[Pin]
) -> Iterator[Correction]:
    """Yield where a mirror's page, or what was pinned by it, differs from the authority's page.

    ``pins`` are those that came from the mirror.
    """
    right = _stated(authority)
    had = [(file.filename, file.sha256) for file in mirror.files if file.sha256 is not None]
    had += [(pin.filename, pin.sha256) for pin in pins]
    for filename, sha256 in dict.fromkeys(had):
        if sha256 not in right.get(filename, (sha256,)):
            yield Correction(filename, tuple(right[filename]), sha256)


def corrected(mirror: ProjectPage, authority: ProjectPage) -> ProjectPage:
    """Return a mirror's page with the authority's entries in the place of those that are wrong.

    In the place of the first wrong one of a name are all those that the mirror lacks.
    """
    right, listed = _stated(authority), _stated(mirror)
    wrong = {name for name, files in listed.items() if files.keys() - right.get(name, files).keys()}
    if not wrong:
        return mirror
    missing = {name: [f for s, f in right[name].items() if s not in listed[name]] for name in wrong}
    files: list[File] = []
    for file in mirror.files:
        if file.filename not in wrong or file.sha256 in (None, *right[file.filename]):
            files.append(file)
        else:
            files += missing.pop(file.filename, ())
    return msgspec.structs.replace(mirror, files=tuple(files))


def described_by(wanted: ProjectPage, page: ProjectPage) -> ProjectPage:
    """Return a page with the wanted one's entries for the files that both list with one sha256.

    Their addresses, sizes and times are the wanted index's own. A file is yanked if either says so:
    the wanted page may be the older one.
    """
    known = _stated(wanted)
    files = (_described(file, known.get(file.filename, {})) for file in page.files)
    return msgspec.structs.replace(page, files=tuple(files))


def _described(file: File, own: Mapping[str, File]) -> File:
    """Return a file as the entry of ``own`` with its sha256 describes it; itself without one."""
    entry = own.get(file.sha256 or "")
    if entry is None:
        return file
    return msgspec.structs.replace(entry, yanked=file.yanked or entry.yanked)


def _stated(page: ProjectPage) -> Mapping[str, Mapping[str, File]]:
    """Return file name to sha256 to file, of the files whose sha256 is stated."""
    stated: dict[str, dict[str, File]] = {}
    for file in page.files:
        if file.sha256 is not None:
            stated.setdefault(file.filename, {})[file.sha256] = file
    return stated
