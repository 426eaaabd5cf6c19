"""Writes a static tree, and only those pages and files that have changed.

Each page and file is replaced at once: files before the pages that link to them. Files without a
link are removed last. So a client gets either the old or the new state of a project, and an
interrupted publication leaves a tree that works, which the next one completes. The tree is not
switched as a whole: clients read project by project, and tools like rsync would copy the whole tree
each time.
"""

from pathlib import Path
from typing import final

from indexfallback.names import PROVENANCE_ENDING
from indexfallback.page import ProjectPage
from indexfallback.tree.destination import Destination, Written
from indexfallback.tree.pages import FILES, project_pages, root_pages


@final
class Tree:
    """Writes a tree: ``with Tree(destination) as tree``, then `finish`."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        #: Paths that belong to the tree; distributions with their sha256.
        self._kept: dict[str, str] = {}
        self._names: list[str] = []

    def __enter__(self) -> "Tree":
        self._destination.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._destination.__exit__(*error)

    @property
    def written(self) -> Written:
        """What was written so far."""
        return self._destination.written

    def owner_of(self, filename: str) -> str | None:
        """Return the sha256 of a file that was put under this name, or None."""
        return self._kept.get(f"{FILES}/{filename}")

    def put_file(self, filename: str, source: Path, sha256: str) -> None:
        """Put a distribution into the tree."""
        path = f"{FILES}/{filename}"
        if path in self._kept:
            return
        self._kept[path] = sha256
        self.written.files += 1
        self._destination.put_file(path, source, sha256)

    def put_metadata(self, filename: str, metadata: bytes) -> None:
        """Put the metadata of a distribution beside it (PEP 658)."""
        self._put(f"{FILES}/{filename}.metadata", metadata)

    def put_provenance(self, filename: str, provenance: bytes) -> None:
        """Put the provenance object of a distribution beside it (PEP 740)."""
        self._put(f"{FILES}/{filename}{PROVENANCE_ENDING}", provenance)

    def put_pages(self, page: ProjectPage) -> None:
        """Put the pages of a project into the tree, after its files."""
        self._names.append(page.name)
        self.written.projects += 1
        self._destination.settle()
        for path, body in project_pages(page).items():
            self._put(path, body)

    def finish(self) -> None:
        """Write the lists of projects, and remove what does not belong to the tree."""
        self._destination.settle()
        for path, body in root_pages(self._names).items():
            self._put(path, body)
        self._destination.settle()
        self._destination.clear(self._kept)

    def _put(self, path: str, body: bytes) -> None:
        self._kept.setdefault(path, "")
        self._destination.put(path, body)
