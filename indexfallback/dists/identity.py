"""The project of a local distribution, and whether its metadata agrees with its file name.

A file name decides, except that of an sdist which can be split in several ways: then the PKG-INFO
inside decides. The metadata of a wheel must agree with its name (PEP 427), as installers demand.
The message of a `ContradictionError` continues a sentence that begins with the file.
"""

from email.parser import BytesHeaderParser
from pathlib import Path
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from indexfallback.dists.bounds import ArchiveError, ContradictionError
from indexfallback.dists.sdist import find_pkg_info
from indexfallback.dists.wheel import read_open_wheel
from indexfallback.names import (
    begins_with,
    is_ambiguous,
    is_project_name,
    normalize,
    project_of,
    version_of,
)


class Stated(NamedTuple):
    """The name and version in a metadata file."""

    #: Normalised.
    project: str
    #: As it is written.
    version: str

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


def stated_in(metadata: bytes) -> Stated | None:
    """Return the name and version that a metadata file states, or None if they are not valid."""
    headers = BytesHeaderParser().parsebytes(metadata)
    # A header that is not ASCII has another type.
    name, version = headers.get("Name"), headers.get("Version")
    if not isinstance(name, str) or not isinstance(version, str):
        return None
    if not is_project_name(name.strip()):
        return None
    return Stated(normalize(name.strip()), version.strip())


def project_at(path: Path, filename: str) -> str | None:
    """Return the normalised project of a distribution, or None if it is not known.

    Only a file with an ambiguous name is opened. Where its metadata cannot be read, the name
    decides. Raises `ContradictionError`, and OSError for a file that cannot be read.
    """
    if not is_ambiguous(filename):
        return project_of(filename)
    try:
        metadata = find_pkg_info(path)
    except ArchiveError:  # damaged, or still being written
        metadata = None
    stated = stated_in(metadata) if metadata is not None else None
    if stated is None:
        return project_of(filename)
    if not begins_with(filename, stated.project):  # no client would take it for that project
        raise ContradictionError(f"is named wrongly: its PKG-INFO says {stated}")
    return stated.project


def check_wheel(path: Path, filename: str) -> None:
    """Compare the METADATA of a wheel with its file name.

    Raises `ContradictionError`, and OSError. A damaged wheel passes: installers refuse it.
    """
    try:
        with path.open("rb") as file:
            stated = stated_in(read_open_wheel(file, filename))
    except ContradictionError as error:
        raise ContradictionError(f"is named wrongly: {error}") from error
    except ArchiveError:
        return
    if stated is None:
        return
    try:
        is_same = Version(stated.version) == Version(version_of(filename) or "")
    except InvalidVersion:  # an old spelling, which a file name cannot have
        is_same = True
    if stated.project != project_of(filename) or not is_same:
        raise ContradictionError(f"is named wrongly: its METADATA says {stated}")
