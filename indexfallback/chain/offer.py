"""What of an index's page is offered to clients: what can be served, and as first seen."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec

from indexfallback.names import METADATA_ENDING
from indexfallback.page import File, ProjectPage


class Available(NamedTuple):
    """What can be had while there is no network."""

    #: The sha256 of what the store has.
    held: Collection[str]
    #: The page's own links to files of this machine lead to them.
    is_local: bool = False


class Hidden(NamedTuple):
    """A file that is not offered since it cannot be had without a network."""

    file: File
    #: It was in the store once.
    was_held: bool


def offered(
    page: ProjectPage, pins: Mapping[str, str], available: Available | None = None
) -> ProjectPage:
    """Return the page as clients see it.

    ``pins`` is file name to sha256 of what was served before: another content is withheld, and
    a missing hash is filled in. ``available`` is what can be had offline; None if everything can.

    Of a quarantined project nothing is offered for installation (PEP 792).
    """
    if page.status == "quarantined":
        return msgspec.structs.replace(page, files=())
    if not pins and available is None:
        return page
    files = [_offered_file(file, pins, available) for file in page.files]
    return msgspec.structs.replace(page, files=tuple(file for file in files if file is not None))


def withheld(page: ProjectPage, pins: Mapping[str, str]) -> list[File]:
    """Return the files of a page that are not what they were when first seen."""
    return [file for file in page.files if _differs(file, pins)] if pins else []


def hidden(page: ProjectPage, pins: Mapping[str, str], available: Available | None) -> list[Hidden]:
    """Return the files of a page that are left out for want of a network, and for nothing else."""
    if available is None or page.status == "quarantined":
        return []
    return [
        Hidden(file, file.filename in pins)
        for file in page.files
        if not _differs(file, pins) and not _is_available(_as_pinned(file, pins), available)
    ]


def _differs(file: File, pins: Mapping[str, str]) -> bool:
    pin = pins.get(file.filename)
    return pin is not None and file.sha256 is not None and pin != file.sha256


def _offered_file(file: File, pins: Mapping[str, str], available: Available | None) -> File | None:
    if _differs(file, pins):
        return None
    file = _as_pinned(file, pins)
    if available is None:
        return file
    # Metadata alone would lead a resolver to what it cannot install.
    if not _is_available(file, available):
        return None
    if file.core_metadata is not False and not _has_metadata(file, pins, available):
        file = msgspec.structs.replace(file, core_metadata=False)
    return file


def _as_pinned(file: File, pins: Mapping[str, str]) -> File:
    pin = pins.get(file.filename)
    if pin is None or file.sha256 is not None:
        return file
    return msgspec.structs.replace(file, hashes={**file.hashes, "sha256": pin})


def _is_available(file: File, available: Available) -> bool:
    return file.sha256 in available.held or (available.is_local and file.url.startswith("file:"))


def _has_metadata(file: File, pins: Mapping[str, str], available: Available) -> bool:
    """Tell whether a file's metadata is here, or in the file itself: a wheel's is."""
    stored = pins.get(file.filename + METADATA_ENDING) in available.held
    return stored or file.filename.endswith(".whl")
