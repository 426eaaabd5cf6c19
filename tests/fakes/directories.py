"""Directories as indexes: a static tree of pages (PEP 503), or distributions in a heap."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from tests.fakes.pages import Listed, Project, render, render_root
from tests.fakes.wheels import Dist


class DirectoryTree:
    """``simple/<project>/index.html`` with links to ``../../files/``, for any static server."""

    def __init__(self, root: Path, dists: Iterable[Dist] = ()) -> None:
        #: The directory that holds ``simple`` and ``files``.
        self.root = root
        self._projects: dict[str, Project] = {}
        self.add(*dists)

    def add(self, *dists: Dist) -> None:
        """Write distributions, and the pages that list them."""
        flat_directory(self.root / "files", dists)
        for dist in dists:
            project = self._projects.setdefault(dist.project, Project(name=dist.project))
            project.files[dist.filename] = Listed(
                dist=dist,
                url=f"../../files/{quote(dist.filename)}",
                hashes={"sha256": dist.sha256},
                metadata=dist.is_wheel,
            )
            if dist.is_wheel:
                (self.root / "files" / f"{dist.filename}.metadata").write_bytes(dist.metadata)
        for name in {dist.project for dist in dists}:
            self._write(name, render(self._projects[name], "html"))
        self._write("", render_root(sorted(self._projects), "html"))

    def _write(self, name: str, page: bytes) -> None:
        directory = self.root / "simple" / name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "index.html").write_bytes(page)


def flat_directory(path: Path, dists: Iterable[Dist]) -> Path:
    """Write distributions side by side into the directory ``path``, made if need be.

    As if they had lain there for a while: what was just written may not be whole.
    """
    path.mkdir(parents=True, exist_ok=True)
    then = time.time() - 60
    for dist in dists:
        (path / dist.filename).write_bytes(dist.data)
        os.utime(path / dist.filename, (then, then))
    return path
