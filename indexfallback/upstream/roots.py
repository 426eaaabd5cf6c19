"""Limits the links of a static tree's pages to files of the tree, with symlinks resolved."""

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import msgspec

from indexfallback.page import ProjectPage
from indexfallback.upstream.scan import is_inside

#: The pages are in ``simple/``, and the files beside it: publish-tree writes ``files/``,
#: bandersnatch ``packages/``, dumb-pypi ``pool/``.
_PAGES, _FILES = "simple", ("files", "packages", "pool")
#: Why a link is dropped.
_LEADS_OUT = "a link out of the directory"


class Roots:
    """The directories that may hold files of one index."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def holds(self, path: str) -> bool:
        """Tell whether a file, with symbolic links and ``..`` resolved, is in one of them."""
        root = os.path.realpath(self._directory)
        return any(is_inside(path, each) for each in self._all(root))

    def restrict(self, page: ProjectPage) -> ProjectPage:
        """Return a page of the directory without its links to files outside of it."""
        inside: dict[str, bool] = {}
        files = []
        for file in page.files:
            if file.url.startswith("file:"):
                path = str(path_of(file.url))
                folder = os.path.dirname(path)  # noqa: PTH120 - Path is too slow for thousands
                if folder not in inside:
                    inside[folder] = self.holds(os.path.join(folder, "x"))  # noqa: PTH118 - as above
                if not inside[folder] or (os.path.islink(path) and not self.holds(path)):  # noqa: PTH114 - as above
                    continue
            files.append(file)
        left_out = len(page.files) - len(files)
        if not left_out:
            return page
        dropped = {**page.dropped, _LEADS_OUT: left_out}
        return msgspec.structs.replace(page, files=tuple(files), dropped=dropped)

    @staticmethod
    def _all(root: str) -> tuple[str, ...]:
        parent, name = os.path.split(root)
        if name != _PAGES:
            return (root,)
        return root, *(os.path.join(parent, each) for each in _FILES)  # noqa: PTH118 - as above


def path_of(url: str) -> Path:
    """Return the path that a ``file:`` address names."""
    return Path(url2pathname(urlsplit(url).path))
