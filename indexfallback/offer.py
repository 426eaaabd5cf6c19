"""What of an index's page is offered to clients: what can be served, and as first seen."""

from collections.abc import Collection, Mapping

import msgspec

from indexfallback.names import METADATA_ENDING
from indexfallback.page import File, ProjectPage


def offered(
    page: ProjectPage, pins: Mapping[str, str], held: Collection[str] | None = None
) -> ProjectPage:
    """Return the page as clients see it.

    ``pins`` is file name to sha256 of what was served before: another content is withheld, and
    a missing hash is filled in. ``held`` is the sha256 of what the store has when nothing else
    can be had, offline; None if everything can.

    Of a quarantined project nothing is offered for installation (PEP 792).
    """
    if page.status == "quarantined":
        return msgspec.structs.replace(page, files=())
    if not pins and held is None:
        return page
    files = [_offered_file(file, pins, held) for file in page.files]
    return msgspec.structs.replace(page, files=tuple(file for file in files if file is not None))


def withheld(page: ProjectPage, pins: Mapping[str, str]) -> list[File]:
    """Return the files of a page that are not what they were when first seen."""
    return [file for file in page.files if _differs(file, pins)] if pins else []


def _differs(file: File, pins: Mapping[str, str]) -> bool:
    pin = pins.get(file.filename)
    return pin is not None and file.sha256 is not None and pin != file.sha256


def _offered_file(file: File, pins: Mapping[str, str], held: Collection[str] | None) -> File | None:
    if _differs(file, pins):
        return None
    pin = pins.get(file.filename)
    if pin is not None and file.sha256 is None:
        file = msgspec.structs.replace(file, hashes={**file.hashes, "sha256": pin})
    if held is None:
        return file
    has_file = file.sha256 in held
    has_metadata = pins.get(file.filename + METADATA_ENDING) in held
    if not has_file and not has_metadata:
        return None
    # Metadata that is not here by itself is read out of the wheel.
    if file.core_metadata is not False and not (has_metadata or has_file):
        file = msgspec.structs.replace(file, core_metadata=False)
    return file
