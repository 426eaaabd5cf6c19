"""The metadata that an index may serve beside a distribution (PEP 658)."""

from pathlib import Path

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.sdist import is_static, read_pkg_info
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
