"""A static tree on the disk, of which only what has changed is written.

Each page and file is replaced as a whole, by a rename: files before the pages that link to them,
and what nothing links to any more is removed last. Whoever reads a project meanwhile finds it as
it was or as it is, and one who is interrupted leaves a tree that works and is gone on with by the
next. There is no switch from one whole tree to another, since clients read project by project, and
what copies a tree elsewhere would copy all of it each time.
"""

import os
import shutil
import stat
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import final

from indexfallback.errors import TreeError
from indexfallback.formats.tree import FILES, SIMPLE, project_pages, root_pages
from indexfallback.page import ProjectPage
from indexfallback.store.locks import FileLock

#: What says that a directory is ours to clear up; its name keeps it out of listings.
MARK = ".indexfallback-tree"
_MARK_TEXT = b"Written by `indexfallback publish-tree`, which removes what is not of its index.\n"
#: Who else may read a file: a web server is another user.
_ALL_READ = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


@dataclass
class Written:
    """What a publication did."""

    projects: int = 0
    files: int = 0
    #: Of these, how many were not there before, and how many of them are hard links.
    new_files: int = 0
    linked: int = 0
    #: Pages written: the others had not changed.
    pages: int = 0
    removed: int = 0


@final
class Tree:
    """A tree that is being written; ``with Tree(root) as tree``, ended by `finish`."""

    def __init__(self, root: Path) -> None:
        """Take a directory; raises `TreeError` for one with other things in it."""
        self._root = root
        self._lock = FileLock(root / MARK)
        #: Paths below the root that belong to it, and of files their content's sha256.
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._lock.release()

    def owner_of(self, filename: str) -> str | None:
        """Return the sha256 of the file that has a name in this publication, or None."""
        return self._kept.get(f"{FILES}/{filename}")

    def put_file(self, filename: str, source: Path, sha256: str) -> None:
        """Put a distribution there: by a hard link, or where that cannot be by copying it."""
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

    def put_pages(self, page: ProjectPage) -> None:
        """Put the pages of a project there, whose files are there already."""
        self._names.append(page.name)
        self.written.projects += 1
        for path, body in project_pages(page).items():
            self.written.pages += self._write(path, body)

    def finish(self) -> None:
        """Write the lists of projects, and remove what is from before."""
        for path, body in root_pages(self._names).items():
            self.written.pages += self._write(path, body)
        for part in (SIMPLE, FILES):
            self._clear(self._root / part)

    def _write(self, path: str, body: bytes) -> bool:
        """Write what is not there yet, and tell whether that was to be done."""
        self._kept.setdefault(path, "")
        target = self._root / path
        if target.is_file() and target.read_bytes() == body:
            return False
        part = self._part(target)
        part.write_bytes(body)
        part.replace(target)
        return True

    def _part(self, target: Path) -> Path:
        """Return a new name beside ``target``, which the next publication removes if it stays."""
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.with_name(f".{uuid.uuid4().hex}.part")

    def _clear(self, directory: Path) -> None:
        """Remove what does not belong to the tree, and the directories that are empty then."""
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
    return "is not empty, and no tree that publish-tree has written"


def _is_same(target: Path, source: os.stat_result) -> bool:
    """Tell whether a file is there: the very same, or a copy, which has its times."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return False
    copied = (status.st_size, status.st_mtime_ns) == (source.st_size, source.st_mtime_ns)
    return copied or os.path.samestat(status, source)


def _link(source: Path, status: os.stat_result, target: Path) -> bool:
    """Make a hard link, or a copy on another file system or for more readers."""
    if status.st_mode & _ALL_READ == _ALL_READ:
        try:
            os.link(source, target)
        except OSError:  # another file system, one without links, or too many of them
            pass
        else:
            return True
    shutil.copyfile(source, target)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return False
