"""The real directories that may hold files of a directory index, and so what its pages may link to.

An index is one directory, its subdirectories included. Static trees have their pages in ``simple/``
and their files beside it: publish-tree writes ``files/``, bandersnatch ``packages/``, dumb-pypi
``pool/``; pip2pi and piprepo keep the distributions themselves directly beside ``simple/``.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import msgspec

from indexfallback.names import project_of
from indexfallback.page import ProjectPage

#: The name of a directory of pages, and of the directories beside it that may hold its files.
SIMPLE = "simple"
_FILES = ("files", "packages", "pool")
#: Why a link is dropped.
_LEADS_OUT = "a link out of the directory"


class Roots:
    """The directories of one index as they are now, with symbolic links resolved."""

    def __init__(self, directory: Path | str) -> None:
        self.top = os.path.realpath(directory)
        parent, name = os.path.split(self.top)
        beside = _FILES if name == SIMPLE else ()
        self._inside = tuple(
            join(each, "") for each in (self.top, *(join(parent, b) for b in beside))
        )
        #: The directory that may hold distributions itself, but no other files of the index.
        self._beside = parent if name == SIMPLE else None

    def holds(self, path: str) -> bool:
        """Tell whether a file, with symbolic links and ``..`` resolved, is in one of them."""
        real = os.path.realpath(path)
        if real.startswith(self._inside):
            return True
        folder, name = os.path.split(real)
        return folder == self._beside and project_of(name) is not None

    def restrict(self, page: ProjectPage) -> ProjectPage:
        """Return a page of the directory without its links to files outside of it."""
        inside: dict[str, bool] = {}
        files = []
        for file in page.files:
            if file.url.startswith("file:"):
                path = str(path_of(file.url))
                folder = os.path.dirname(path)  # noqa: PTH120 - Path is too slow for thousands
                if folder not in inside:
                    inside[folder] = self.holds(join(folder, "x"))
                is_plain = inside[folder] and not os.path.islink(path)  # noqa: PTH114 - as above
                if not is_plain and not self.holds(path):
                    continue
            files.append(file)
        left_out = len(page.files) - len(files)
        if not left_out:
            return page
        dropped = {**page.dropped, _LEADS_OUT: left_out}
        return msgspec.structs.replace(page, files=tuple(files), dropped=dropped)


def join(folder: str, name: str) -> str:
    """Return a path below a directory."""
    return os.path.join(folder, name)  # noqa: PTH118 - Path is too slow for thousands


def path_of(url: str) -> Path:
    """Return the path that a ``file:`` address names."""
    return Path(url2pathname(urlsplit(url).path))
