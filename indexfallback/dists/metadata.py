"""The metadata of a distribution, if it is reliable enough for an index to serve it (PEP 658)."""

from pathlib import Path

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.sdist import (
    find_pkg_info,
    is_static,
    read_pkg_info,
    states_requirements,
)
from indexfallback.dists.wheel import read_wheel_metadata

_SDISTS = (".tar.gz", ".zip")


def read_metadata(path: Path, filename: str) -> bytes | None:
    """Return the metadata of a distribution, or None if it has none that is reliable.

    That of an sdist is reliable only if a build does not change it. Raises OSError.
    """
    if filename.endswith(".whl"):
        return read_wheel_metadata(path, filename)
    if not filename.endswith(_SDISTS):
        return None
    try:
        metadata = read_pkg_info(path, filename)
    except ArchiveError:  # the installer will report it
        return None
    return metadata if metadata is not None and is_static(metadata) else None


def read_requirements(path: Path, filename: str) -> bytes | None:
    """Return metadata that states all requirements, or None if the distribution has none.

    An sdist, in any format, states them only if a build does not change them (PEP 643). Raises
    OSError.
    """
    if filename.endswith(".whl"):
        return read_wheel_metadata(path, filename)
    try:
        metadata = find_pkg_info(path)
    except ArchiveError:  # the installer will report it
        return None
    return metadata if metadata is not None and states_requirements(metadata) else None
