"""Writes a static tree to disk, and only those pages and files that have changed.

Each page and file is replaced by a rename: files before the pages that link to them. Files without
a link are removed last. So a client gets a project either as it was or as it is, and an interrupted
publication leaves a tree that works and that the next one completes. The tree is not switched as a
whole: clients read project by project, and tools like rsync would copy the whole tree each time.
"""

import os
import shutil
import stat
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import final

from indexfallback.errors import TreeError
from indexfallback.names import PROVENANCE_ENDING
from indexfallback.page import ProjectPage
from indexfallback.store.locks import FileLock
from indexfallback.tree.pages import FILES, SIMPLE, project_pages, root_pages

#: Marks a directory as a tree, in which files may be removed; hidden from listings by its dot.
MARK = ".indexfallback-tree"
_MARK_TEXT = b"Written by `indexfallback publish-tree`, which removes what is not of its index.\n"
#: The permissions that a web server, which is another user, needs.
_ALL_READ = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


@dataclass
class Written:
    """The result of a publication."""

    projects: int = 0
    files: int = 0
    #: Files that were not in the tree before, and how many of them are hard links.
    new_files: int = 0
    linked: int = 0
    #: Pages that have changed.
    pages: int = 0
    removed: int = 0


@final
class Tree:
    """Writes a tree: ``with Tree(root) as tree``, then `finish`."""

    def __init__(self, root: Path) -> None:
        """Write to ``root``; entering raises `TreeError` if it has other content."""
        self._root = root
        self._lock = FileLock(root / MARK)
        #: Paths below the root that belong to the tree; distributions with their sha256.
        self._kept: dict[str, str] = {}
        self._names: list[str] = []
        self.written = Written()

    def __enter__(self) -> "Tree":
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

    def owner_of(self, filename: str) -> str | None:
        """Return the sha256 of a file that was put by this name, or None."""
        return self._kept.get(f"{FILES}/{filename}")

    def put_file(self, filename: str, source: Path, sha256: str) -> None:
        """Put a distribution into the tree, as a hard link or, if that fails, as a copy."""
        path = f"{FILES}/{filename}"
        if path in self._kept:
            return
        self._kept[path] = sha256
        self.written.files += 1
        source = source.resolve()
        target, status = self._root / path, source.stat()
        if _is_same(target, status):
            return
        part = self._part(target)
        if _link(source, status, part):
            self.written.linked += 1
        part.replace(target)
        self.written.new_files += 1

    def put_metadata(self, filename: str, metadata: bytes) -> None:
        """Put the metadata of a distribution beside it (PEP 658)."""
        self._write(f"{FILES}/{filename}.metadata", metadata)

    def put_provenance(self, filename: str, provenance: bytes) -> None:
        """Put the provenance object of a distribution beside it (PEP 740)."""
        self._write(f"{FILES}/{filename}{PROVENANCE_ENDING}", provenance)

    def put_pages(self, page: ProjectPage) -> None:
        """Put the pages of a project into the tree, after its files."""
        self._names.append(page.name)
        self.written.projects += 1
        for path, body in project_pages(page).items():
            self.written.pages += self._write(path, body)

    def finish(self) -> None:
        """Write the lists of projects, and remove what does not belong to the tree."""
        for path, body in root_pages(self._names).items():
            self.written.pages += self._write(path, body)
        for part in (SIMPLE, FILES):
            self._clear(self._root / part)

    def _write(self, path: str, body: bytes) -> bool:
        """Write a page if it has changed; return whether it has."""
        self._kept.setdefault(path, "")
        target = self._root / path
        if target.is_file() and target.read_bytes() == body:
            return False
        part = self._part(target)
        part.write_bytes(body)
        part.replace(target)
        return True

    def _part(self, target: Path) -> Path:
        """Return a new name beside ``target``; the next publication removes it if it is left."""
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.with_name(f".{uuid.uuid4().hex}.part")

    def _clear(self, directory: Path) -> None:
        """Remove what does not belong to the tree, and directories that are empty then."""
        for folder, folders, names in os.walk(directory, topdown=False):
            for path in (Path(folder, name) for name in names):
                if path.relative_to(self._root).as_posix() not in self._kept:
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
