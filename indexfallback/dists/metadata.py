"""The metadata that may stand beside a distribution (PEP 658)."""

from pathlib import Path

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.sdist import is_static, read_pkg_info
from indexfallback.dists.wheel import read_wheel_metadata

_SDISTS = (".tar.gz", ".zip")


def read_metadata(path: Path, filename: str) -> bytes | None:
    """Return the metadata of the distribution of that name, or None where there is none to trust.

    Of an sdist only what building does not change. Raises OSError.
    """
    if filename.endswith(".whl"):
        return read_wheel_metadata(path, filename)
    if not filename.endswith(_SDISTS):
        return None
    try:
        metadata = read_pkg_info(path, filename)
    except ArchiveError:  # whoever installs it says so
        return None
    return metadata if metadata is not None and is_static(metadata) else None
