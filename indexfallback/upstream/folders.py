"""Reads one directory of an index: its distributions, its subdirectories, and what is left out.

A directory whose modification time is the same is not read again. Nothing is written to it.
"""

import os
import stat
import time
from collections.abc import Mapping
from typing import NamedTuple

from indexfallback.names import (
    PROVENANCE_ENDING,
    is_ambiguous,
    is_distribution,
    is_safe_filename,
    project_of,
)
from indexfallback.upstream.roots import Roots

#: The file name of a page in a static tree, which pip also expects behind ``file:``.
PAGE = "index.html"
#: Why an entry is left out.
LINK_OUT = "a symbolic link out of the directory"
NO_PROJECT = "no project and version in its name"
#: A directory that changed less than this ago, seconds, may change again without a new modification
#: time: the tick of the kernel's timer, and the resolution of a file system with 2 s (FAT).
_TICK, _COARSE_TICK = 0.05, 2.0
_SECOND = 10**9
#: The modification time of a directory that could not be read: equal to no real one.
_NEVER = -1


class Folder(NamedTuple):
    """One directory as it was read."""

    modified: int
    #: Whether every change since then has changed the modification time.
    is_settled: bool
    #: File name to project.
    files: Mapping[str, str]
    #: Names of files whose content decides on their project.
    ambiguous: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    #: Name to the reason why it is left out.
    skipped: Mapping[str, str] = {}
    has_page: bool = False
    #: Names of files that are the provenance of the distribution in their name (PEP 740).
    provenances: tuple[str, ...] = ()


def read_folder(path: str, roots: Roots, before: Folder | None) -> Folder | None:
    """Return a directory as it is now, or None if it has been removed.

    ``before`` is the directory as it was read earlier. Raises OSError for the top of an index.
    """
    try:
        modified = os.stat(path).st_mtime_ns  # noqa: PTH116 - as in `join`
        if before is not None and before.modified == modified and before.is_settled:
            return before
        return _read(path, roots, modified, before)
    except OSError as error:
        if path == roots.top:
            raise
        if isinstance(error, FileNotFoundError):
            return None
        skipped = {"": f"cannot be read: {error.strerror}"}
        return Folder(_NEVER, False, {}, skipped=skipped)


def _read(path: str, roots: Roots, modified: int, before: Folder | None) -> Folder:
    tick = _TICK if modified % _SECOND else _COARSE_TICK
    is_settled = time.time() - modified / _SECOND > tick
    known = before.files if before is not None else {}
    files: dict[str, str] = {}
    folders: list[str] = []
    ambiguous: list[str] = []
    skipped: dict[str, str] = {}
    provenances: list[str] = []
    has_page = False
    with os.scandir(path) as entries:
        for entry in entries:
            name = entry.name
            if not is_distribution(name):
                if is_distribution(name.removesuffix(PROVENANCE_ENDING)):
                    provenances += [name] if not _reason(entry, roots) else []
                elif entry.is_dir(follow_symlinks=False):
                    folders += [] if name.startswith(".") else [name]
                elif entry.is_symlink() and not roots.holds(entry.path):
                    if name == PAGE or entry.is_dir():
                        skipped[name] = LINK_OUT
                elif name == PAGE:
                    has_page = entry.is_file()
                continue
            reason = _reason(entry, roots)
            if not reason and is_ambiguous(name):
                ambiguous.append(name)
                continue
            project = known.get(name) or (None if reason else project_of(name))
            if reason or project is None:
                skipped[name] = reason or NO_PROJECT
            else:
                files[name] = project
    return Folder(
        modified,
        is_settled,
        files,
        tuple(sorted(ambiguous)),
        tuple(sorted(folders)),
        skipped,
        has_page,
        tuple(provenances),
    )


def _reason(entry: "os.DirEntry[str]", roots: Roots) -> str:
    """Return why an entry with the name of a distribution is left out, or nothing."""
    if not is_safe_filename(entry.name):
        return "invalid characters in its name"
    if entry.is_file(follow_symlinks=False):
        return ""
    if entry.is_symlink():
        if not roots.holds(entry.path):
            return LINK_OUT
        return "" if entry.is_file() else "a symbolic link to no file"
    if entry.is_dir():
        return "a directory"
    kind = stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
    return {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}.get(kind, "a device")
