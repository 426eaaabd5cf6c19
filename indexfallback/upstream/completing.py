"""What files on this machine tell of themselves for a page: sizes, times and versions (PEP 700)."""

import os
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

import msgspec

from indexfallback.formats.fields import time_text
from indexfallback.names import version_in
from indexfallback.page import File, ProjectPage
from indexfallback.upstream.roots import join, path_of

#: Names whose versions are known, a few MB: to read one takes 20 to 40 us, and large projects have
#: some thousand files.
_NAMES = 20_000

_version = lru_cache(maxsize=_NAMES)(version_in)


def completed(page: ProjectPage) -> ProjectPage:
    """Return a page with what it does not state of its files on this machine."""
    folders: dict[str, str] = {}
    files = tuple(_with_status(file, folders) for file in page.files)
    versions = page.versions if page.versions is not None else versions_of(files, page.name)
    return msgspec.structs.replace(page, files=files, versions=versions)


def versions_of(files: Iterable[File], project: str) -> tuple[str, ...] | None:
    """Return the versions in the names of a project's files; None if the name of one has none."""
    versions = dict.fromkeys(_version(file.filename, project) for file in files)
    known = tuple(version for version in versions if version is not None)
    return known if len(known) == len(versions) else None


def _with_status(file: File, folders: dict[str, str]) -> File:
    """Return a file with its size and time; ``folders`` has the paths of addresses."""
    if not file.url.startswith("file:"):
        return file
    address, _, name = file.url.partition("?")[0].rpartition("/")
    folder = folders.get(address) or folders.setdefault(address, str(path_of(f"{address}/")))
    try:
        status = os.stat(join(folder, unquote(name)))  # noqa: PTH116 - as in `join`
    except OSError:  # a page may list a file that is not there
        return file
    return msgspec.structs.replace(
        file,
        size=status.st_size,
        upload_time=file.upload_time or time_text(status.st_mtime_ns),
    )
