"""The files of a project that have metadata: in which order they are read, and how."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from packaging.version import Version

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.sdist import find_pkg_info
from indexfallback.dists.wheel import read_wheel_metadata
from indexfallback.names import METADATA_ENDING, is_distribution, version_in
from indexfallback.search.described import age

log = logging.getLogger("indexfallback")

T = TypeVar("T")


def is_read(filename: str) -> bool:
    """Tell whether a file of this name may have metadata."""
    return filename.endswith(METADATA_ENDING) or is_distribution(filename)


def version_of_file(filename: str, project: str) -> str | None:
    """Return the version in the name of a distribution or of its metadata file, or None."""
    return version_in(filename.removesuffix(METADATA_ENDING), project)


def newest_first(files: Iterable[T], project: str, name: Callable[[T], str]) -> list[T]:
    """Return files, the newest version first, of each version the quickest to read first.

    ``name`` returns the name of a file.
    """

    def order(file: T) -> tuple[tuple[bool, bool, Version], bool, bool]:
        filename = name(file)
        listed = filename.removesuffix(METADATA_ENDING)
        is_metadata = listed != filename
        return age(version_of_file(filename, project) or ""), is_metadata, listed.endswith(".whl")

    return sorted(files, key=order, reverse=True)


def metadata_in(path: Path, filename: str) -> bytes | None:
    """Return the metadata in a distribution, also that of an sdist which a build may change.

    None is returned for one that has none that can be read.
    """
    try:
        if filename.endswith(".whl"):
            return read_wheel_metadata(path, filename)
        return find_pkg_info(path)
    except ArchiveError:  # damaged, or of another format
        return None
    except OSError as error:  # removed or evicted since, or unreadable, which its page reports
        log.info("%s cannot be read for the search: %s", path, error)
        return None
