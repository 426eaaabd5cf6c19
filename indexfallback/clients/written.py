"""Finds the files that a command has written the shim's address into."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

#: Directories of other programs, whose files no user edits or shares, besides those that end in
#: ``cache`` or ``caches``.
_SKIPPED = frozenset((".git", ".hg", ".svn", "node_modules", "site-packages", "__pycache__",
                      ".tox", ".nox"))  # fmt: skip
#: In the root of every virtual environment (PEP 405).
_ENVIRONMENT = "pyvenv.cfg"
#: Files and directories that are looked at: 0.1 s.
MAX_ENTRIES = 20_000
#: Largest file that is read, bytes; a uv.lock of 1,000 packages has 3 MB.
MAX_SIZE = 16 * 1024**2
#: Some file systems record times only to two seconds.
_COARSE_SECONDS = 2.0


class Entry(NamedTuple):
    """What a directory says of one file."""

    path: Path
    size: int
    #: Seconds since the epoch.
    modified: float


def written_since(directory: Path, began: float, url: str) -> list[Path]:
    """Return the files below ``directory`` that were modified since and hold the shim's address.

    The paths are relative to ``directory``, in order. At most `MAX_ENTRIES` are looked at.
    """
    address = address_bytes(url)
    return sorted(
        entry.path.relative_to(directory)
        for entry in _entries(directory)
        if may_be_written(entry, began) and address in _content(entry.path)
    )


def address_bytes(url: str) -> bytes:
    """Return what every address of the shim contains: its host and port, before a slash."""
    return f"{urlsplit(url).netloc.rpartition('@')[2]}/".encode()


def may_be_written(entry: Entry, began: float) -> bool:
    """Tell whether a file was modified since, and is small enough to be read."""
    return entry.size <= MAX_SIZE and entry.modified >= began - _COARSE_SECONDS


def is_skipped(name: str) -> bool:
    """Tell whether a directory of this name is not looked into."""
    return name in _SKIPPED or name.lower().endswith(("cache", "caches"))


def _entries(directory: Path) -> Iterator[Entry]:
    """Yield the files below a directory, those near it first; links are not followed."""
    waiting, seen = [directory], 0
    for folder in waiting:
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:  # it is gone, or not this user's
            continue
        if folder != directory and any(entry.name == _ENVIRONMENT for entry in entries):
            continue
        for entry in entries:
            seen += 1
            if seen > MAX_ENTRIES:
                return
            try:
                if entry.is_dir(follow_symlinks=False):
                    if not is_skipped(entry.name):
                        waiting.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    stat = entry.stat(follow_symlinks=False)
                    yield Entry(Path(entry.path), stat.st_size, stat.st_mtime)
            except OSError:  # removed meanwhile
                continue


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # removed meanwhile, or not readable: nothing was written for others
        return b""
