"""Scans a directory of distributions, at any depth: its files by project, and what is left out.

A repeated scan needs one call for each subdirectory whose modification time is the same. Nothing is
written to the directory.
"""

import os
import stat
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from indexfallback.names import (
    is_distribution,
    is_project_name,
    is_safe_filename,
    normalize,
    project_of,
)
from indexfallback.upstream.answers import Skipped

#: The file name of a page in a static tree, which pip also expects behind ``file:``.
PAGE = "index.html"
LINK_OUT = "a symbolic link out of the directory"
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
    folders: tuple[str, ...] = ()
    #: Name to the reason why it is left out.
    skipped: Mapping[str, str] = {}
    has_page: bool = False


class DirectoryListing(NamedTuple):
    """The content of a directory, subdirectories included."""

    folders: Mapping[str, Folder]
    #: Project to the paths of its files, sorted by name.
    projects: Mapping[str, tuple[str, ...]]
    #: Project to the path of its page, in a static tree.
    pages: Mapping[str, str]
    skipped: tuple[Skipped, ...]
    #: All projects, sorted.
    names: tuple[str, ...]


def scan(root: Path, before: DirectoryListing | None = None) -> DirectoryListing:
    """Return the content of ``root``; raises OSError if that itself cannot be read.

    ``before`` is the result of an earlier scan. Directories whose names begin with a dot (``.git``,
    ``.snapshot``) are ignored.
    """
    top = os.path.realpath(root)
    if before is not None and top in before.folders and _is_current(before):
        return before
    known = before.folders if before is not None else {}
    folders: dict[str, Folder] = {}
    waiting = [top]
    for path in waiting:  # which grows in the loop
        folder = _folder(path, top, known.get(path))
        if folder is not None:
            folders[path] = folder
            waiting += (_join(path, name) for name in folder.folders)
    return _listing(top, folders)


def _is_current(listing: DirectoryListing) -> bool:
    """Tell whether no directory has changed since; a new or removed one changes its parent."""
    try:
        return all(
            folder.is_settled and os.stat(path).st_mtime_ns == folder.modified  # noqa: PTH116 - as in _join
            for path, folder in listing.folders.items()
        )
    except OSError:
        return False


def shown(path: str, root: str) -> str:
    """Return a path relative to ``root``, with unprintable bytes escaped."""
    return ascii(os.path.relpath(path, root))[1:-1]


def is_inside(path: str, root: str) -> bool:
    """Tell whether a path, with symbolic links resolved, is below a real directory."""
    return os.path.realpath(path).startswith(_join(root, ""))


def _join(folder: str, name: str) -> str:
    return os.path.join(folder, name)  # noqa: PTH118 - Path is too slow for thousands


def _folder(path: str, top: str, before: Folder | None) -> Folder | None:
    """Return a directory as it is now, or None if it has been removed."""
    try:
        modified = os.stat(path).st_mtime_ns  # noqa: PTH116 - as in _join
        if before is not None and before.modified == modified and before.is_settled:
            return before
        return _read(path, top, modified, before)
    except OSError as error:
        if path == top:
            raise
        if isinstance(error, FileNotFoundError):
            return None
        skipped = {"": f"cannot be read: {error.strerror}"}
        return Folder(_NEVER, False, {}, skipped=skipped)


def _read(path: str, top: str, modified: int, before: Folder | None) -> Folder:
    tick = _TICK if modified % _SECOND else _COARSE_TICK
    is_settled = time.time() - modified / _SECOND > tick
    known = before.files if before is not None else {}
    files: dict[str, str] = {}
    folders: list[str] = []
    skipped: dict[str, str] = {}
    has_page = False
    with os.scandir(path) as entries:
        for entry in entries:
            name = entry.name
            if not is_distribution(name):
                if entry.is_dir(follow_symlinks=False):
                    folders += [] if name.startswith(".") else [name]
                elif entry.is_symlink() and not is_inside(entry.path, top):
                    if name == PAGE or entry.is_dir():
                        skipped[name] = LINK_OUT
                elif name == PAGE:
                    has_page = entry.is_file()
                continue
            reason = _reason(entry, top)
            project = known.get(name) or (None if reason else project_of(name))
            if reason or project is None:
                skipped[name] = reason or "no project and version in its name"
            else:
                files[name] = project
    return Folder(modified, is_settled, files, tuple(sorted(folders)), skipped, has_page)


def _reason(entry: "os.DirEntry[str]", top: str) -> str:
    """Return why an entry with the name of a distribution is left out, or nothing."""
    if not is_safe_filename(entry.name):
        return "invalid characters in its name"
    if entry.is_file(follow_symlinks=False):
        return ""
    if entry.is_symlink():
        if not is_inside(entry.path, top):
            return LINK_OUT
        return "" if entry.is_file() else "a symbolic link to no file"
    if entry.is_dir():
        return "a directory"
    kind = stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
    return {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}.get(kind, "a device")


def _listing(top: str, folders: Mapping[str, Folder]) -> DirectoryListing:
    projects: defaultdict[str, list[str]] = defaultdict(list)
    first: dict[str, str] = {}
    skipped: list[Skipped] = []
    for folder, name, project in _files(folders):
        path = _join(folder, name)
        if name in first:
            skipped.append(Skipped(shown(path, top), f"the same name as {shown(first[name], top)}"))
            continue
        first[name] = path
        projects[project].append(path)
    for folder, contents in folders.items():
        for name, reason in contents.skipped.items():
            path = _join(folder, name) if name else folder
            skipped.append(Skipped(shown(path, top), reason))
    pages = dict(_pages(top, folders))
    return DirectoryListing(
        folders,
        {project: tuple(paths) for project, paths in projects.items()},
        pages,
        tuple(sorted(skipped)),
        tuple(sorted({*projects, *pages})),
    )


def _files(folders: Mapping[str, Folder]) -> Iterator[tuple[str, str, str]]:
    """Yield directory, name and project of each file, by name; parents before subdirectories."""
    for folder, contents in folders.items():
        for name in sorted(contents.files):
            yield folder, name, contents.files[name]


def _pages(top: str, folders: Mapping[str, Folder]) -> Iterable[tuple[str, str]]:
    for name in folders[top].folders:
        path = _join(top, name)
        folder = folders.get(path)
        if folder is not None and folder.has_page and is_project_name(name):
            yield normalize(name), _join(path, PAGE)
