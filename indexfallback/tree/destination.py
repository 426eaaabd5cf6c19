"""The interface of places for a static tree, and the counts of a publication."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexfallback.tree.pages import FILES, SIMPLE

#: Marks a tree, in which files may be removed; hidden from listings by its dot.
MARK = ".indexfallback-tree"
#: The parts of a tree that have nothing but its own files.
PARTS = (f"{SIMPLE}/", f"{FILES}/")


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


class Destination(Protocol):
    """A place for a tree, to enter, write to and clear. Paths are relative, with slashes."""

    #: Is added to while the tree is written.
    written: Written

    def __enter__(self) -> object:
        """Lock the place; raises `TreeError` if it is locked, or has other content."""
        ...

    def __exit__(self, *_: object) -> None:
        """Unlock the place."""
        ...

    def put_file(self, path: str, source: Path, sha256: str) -> None:
        """Write a distribution if it is not there."""
        ...

    def put(self, path: str, body: bytes) -> None:
        """Write a page or a metadata file if it has changed."""
        ...

    def settle(self) -> None:
        """Wait until everything that was put is written."""
        ...

    def clear(self, kept: Collection[str]) -> None:
        """End the publication: remove all from the parts of the tree that is not ``kept``."""
        ...


def is_page(path: str) -> bool:
    """Tell whether a path is that of a page."""
    return not path.startswith(f"{FILES}/")
