"""Publishing: from a source, project by project, into a tree."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from indexfallback.dists.metadata import read_metadata
from indexfallback.formats.tree import published
from indexfallback.page import ProjectPage
from indexfallback.tree.sources import Distribution, Source
from indexfallback.tree.writer import Tree, Written


def publish(
    source: Source, root: Path, track: Callable[[list[str]], Iterable[str]]
) -> tuple[Written, list[str]]:
    """Make the tree at ``root`` what the source has; return what was done and what was left out.

    ``track`` passes the names on, and shows how far it is. Raises `IndexFallbackError` and
    OSError; the tree is then in part the old one and in part the new one, and all of it works.
    """
    with Tree(root) as tree:
        skipped: list[str] = []
        for name in track(sorted(source.names())):
            found = source.page(name)
            if found is not None:
                page, distributions = found
                tree.put_pages(_put_files(tree, page, distributions, skipped))
        tree.finish()
        return tree.written, [*source.skipped(), *skipped]


def _put_files(
    tree: Tree, page: ProjectPage, distributions: Iterable[Distribution], skipped: list[str]
) -> ProjectPage:
    """Put the files of a page there, and return the page as the tree has it."""
    files = []
    for file, path, sha256 in distributions:
        if tree.owner_of(file.filename) not in (None, sha256):
            skipped.append(f"{file.filename}: another project has a file of that name")
            continue
        tree.put_file(file.filename, path, sha256)
        metadata = read_metadata(path, file.filename)
        metadata_sha256 = None
        if metadata is not None:
            tree.put_metadata(file.filename, metadata)
            metadata_sha256 = hashlib.sha256(metadata).hexdigest()
        files.append(published(file, sha256, path.stat().st_size, metadata_sha256))
    return msgspec.structs.replace(page, files=tuple(files))
