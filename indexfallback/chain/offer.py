"""Which files of a page are offered to clients: those that can be served, as first seen."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec

from indexfallback.names import METADATA_ENDING
from indexfallback.page import File, ProjectPage


class Available(NamedTuple):
    """The files that can be served without a network."""

    #: The sha256 of the stored files.
    held: Collection[str]
    #: Whether links of the page to files of this machine can be followed.
    is_local: bool = False


class Hidden(NamedTuple):
    """A file that is not offered because it cannot be served without a network."""

    file: File
    #: Whether it was stored once.
    was_held: bool


def offered(
    page: ProjectPage, pins: Mapping[str, str], available: Available | None = None
) -> ProjectPage:
    """Return the page as clients see it.

    ``pins`` is file name to the sha256 that was served before: a file with another one is withheld,
    and a missing hash is filled in. ``available`` are the files that can be served offline, or None
    while there is a network.

    Of a quarantined project nothing is offered for installation (PEP 792).
    """
    if page.status == "quarantined":
        return msgspec.structs.replace(page, files=())
    if not pins and available is None:
        return page
    files = [_offered_file(file, pins, available) for file in page.files]
    return msgspec.structs.replace(page, files=tuple(file for file in files if file is not None))


def withheld(page: ProjectPage, pins: Mapping[str, str]) -> list[File]:
    """Return the files of a page whose content has changed since they were first seen."""
    return [file for file in page.files if _differs(file, pins)] if pins else []


def has_wrong_metadata(page: ProjectPage, pins: Mapping[str, str]) -> bool:
    """Tell whether a page states another hash of a metadata file than that file has."""
    return bool(pins) and any(_true_metadata(file, pins) for file in page.files)


def hidden(page: ProjectPage, pins: Mapping[str, str], available: Available | None) -> list[Hidden]:
    """Return the files of a page that are left out only because there is no network."""
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
    metadata = _true_metadata(file, pins)
    if metadata is not None:
        file = msgspec.structs.replace(file, core_metadata={"sha256": metadata})
    if available is None:
        return file
    # Metadata alone would have a resolver choose a file that cannot be fetched.
    if not _is_available(file, available):
        return None
    if file.core_metadata is not False and not _has_metadata(file, pins, available):
        file = msgspec.structs.replace(file, core_metadata=False)
    return file


def _true_metadata(file: File, pins: Mapping[str, str]) -> str | None:
    """Return the sha256 of a metadata file where the page states another one."""
    stated = file.core_metadata
    pin = pins.get(file.filename + METADATA_ENDING) if isinstance(stated, dict) else None
    is_right = not isinstance(stated, dict) or stated.get("sha256", pin) == pin
    return None if is_right else pin


def _as_pinned(file: File, pins: Mapping[str, str]) -> File:
    pin = pins.get(file.filename)
    if pin is None or file.sha256 is not None:
        return file
    return msgspec.structs.replace(file, hashes={**file.hashes, "sha256": pin})


def _is_available(file: File, available: Available) -> bool:
    return file.sha256 in available.held or (available.is_local and file.url.startswith("file:"))


def _has_metadata(file: File, pins: Mapping[str, str], available: Available) -> bool:
    """Tell whether a file's metadata is stored, or is inside the file as in a wheel."""
    stored = pins.get(file.filename + METADATA_ENDING) in available.held
    return stored or file.filename.endswith(".whl")
