"""The metadata of a distribution, as far as it is reliable: an index may serve it (PEP 658)."""

from collections.abc import Callable
from pathlib import Path

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.sdist import is_static, read_pkg_info, states_requirements
from indexfallback.dists.wheel import read_wheel_metadata

_SDISTS = (".tar.gz", ".zip")


def read_metadata(path: Path, filename: str) -> bytes | None:
    """Return the metadata of a distribution, or None if it has none that is reliable.

    That of an sdist is reliable only if a build does not change it. Raises OSError.
    """
    return _read(path, filename, is_static)


def read_requirements(path: Path, filename: str) -> bytes | None:
    """Return metadata that states all requirements, or None if the distribution has none.

    An sdist states them only if a build does not change them (PEP 643). Raises OSError.
    """
    return _read(path, filename, states_requirements)


def _read(path: Path, filename: str, is_reliable: Callable[[bytes], bool]) -> bytes | None:
    if filename.endswith(".whl"):
        return read_wheel_metadata(path, filename)
    if not filename.endswith(_SDISTS):
        return None
    try:
        metadata = read_pkg_info(path, filename)
    except ArchiveError:  # the installer will report it
        return None
    return metadata if metadata is not None and is_reliable(metadata) else None
