"""Writes a static tree into a directory: each page and file is replaced by a rename."""

import os
import shutil
import stat
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import final

from indexfallback.errors import TreeError
from indexfallback.store.locks import FileLock
from indexfallback.tree.destination import MARK, PARTS, Written, is_page

_MARK_TEXT = b"Written by `indexfallback publish-tree`, which removes what is not of its index.\n"
#: The permissions that a web server, which is another user, needs.
_ALL_READ = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


@final
class DirectoryTree:
    """A directory as a `Destination`."""

    def __init__(self, root: Path) -> None:
        """Write to ``root``; entering raises `TreeError` if it has other content."""
        self._root = root
        self._lock = FileLock(root / MARK)
        self.written = Written()

    def __enter__(self) -> "DirectoryTree":
        problem = _problem(self._root)
        if problem:
            raise TreeError(
                str(self._root), problem, "name a new directory, an empty one, or a tree to renew"
            )
        self._root.mkdir(parents=True, exist_ok=True)
        if not self._lock.acquire():
            raise TreeError(
                str(self._root), "another publish-tree writes to it", "run again when it is done"
            )
        (self._root / MARK).write_bytes(_MARK_TEXT)
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def put_file(self, path: str, source: Path, sha256: str) -> None:  # noqa: ARG002 - the interface
        """Put a distribution into the tree, as a hard link or, if that fails, as a copy."""
        source = source.resolve()
        target, status = self._root / path, source.stat()
        if _is_same(target, status):
            return
        part = self._part(target)
        if _link(source, status, part):
            self.written.linked += 1
        part.replace(target)
        self.written.new_files += 1

    def put(self, path: str, body: bytes) -> None:
        """Write a page or a metadata file if it has changed."""
        target = self._root / path
        if target.is_file() and target.read_bytes() == body:
            return
        part = self._part(target)
        part.write_bytes(body)
        part.replace(target)
        self.written.pages += is_page(path)

    def settle(self) -> None:
        """Do nothing: what was put is written."""

    def _part(self, target: Path) -> Path:
        """Return a new name beside ``target``; the next publication removes it if it is left."""
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.with_name(f".{uuid.uuid4().hex}.part")

    def clear(self, kept: Collection[str]) -> None:
        """Remove what does not belong to the tree, and directories that are empty then."""
        for part in PARTS:
            self._clear(self._root / part, kept)

    def _clear(self, directory: Path, kept: Collection[str]) -> None:
        for folder, folders, names in os.walk(directory, topdown=False):
            for path in (Path(folder, name) for name in names):
                if path.relative_to(self._root).as_posix() not in kept:
                    path.unlink(missing_ok=True)
                    self.written.removed += 1
            for path in (Path(folder, name) for name in folders):
                if path.is_symlink():
                    path.unlink()
                elif not any(path.iterdir()):
                    path.rmdir()


def _problem(root: Path) -> str:
    """Return why a directory cannot be written to, or nothing."""
    if not root.exists():
        return ""
    if not root.is_dir():
        return "is a file"
    if (root / MARK).is_file() or not any(root.iterdir()):
        return ""
    return "is not empty, and was not written by publish-tree"


def _is_same(target: Path, source: os.stat_result) -> bool:
    """Tell whether the target is the source or a copy of it, which has the same times."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return False
    copied = (status.st_size, status.st_mtime_ns) == (source.st_size, source.st_mtime_ns)
    return copied or os.path.samestat(status, source)


def _link(source: Path, status: os.stat_result, target: Path) -> bool:
    """Make a hard link, else a copy: return whether it is a link."""
    if status.st_mode & _ALL_READ == _ALL_READ:
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            pass
        else:
            return True
    shutil.copyfile(source, target)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return False
