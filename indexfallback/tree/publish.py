"""Publishes the projects of a source into a static tree."""

import hashlib
from collections.abc import Callable, Iterable

import msgspec

from indexfallback.dists.metadata import read_metadata
from indexfallback.page import ProjectPage
from indexfallback.tree.destination import Destination, Written
from indexfallback.tree.pages import provenance_link
from indexfallback.tree.sources import Distribution, Source
from indexfallback.tree.writer import Tree
from indexfallback.upstream.completing import versions_of


def publish(
    source: Source, destination: Destination, progress: Callable[[list[str]], Iterable[str]]
) -> tuple[Written, list[str]]:
    """Make the tree at a destination equal to the source; return what was written and left out.

    ``progress`` passes the names on and shows progress. Raises `IndexFallbackError` and OSError;
    the tree then has old and new projects, and all of them work.
    """
    with Tree(destination) as tree:
        skipped: list[str] = []
        for name in progress(sorted(source.names())):
            found = source.page(name)
            if found is not None:
                page, distributions = found
                tree.put_pages(_put_files(tree, page, distributions, skipped))
        tree.finish()
        return tree.written, [*source.skipped(), *skipped]


def _put_files(
    tree: Tree, page: ProjectPage, distributions: Iterable[Distribution], skipped: list[str]
) -> ProjectPage:
    """Put the files of a page into the tree, and return the page that lists them."""
    files = []
    for file, path, sha256, provenance in distributions:
        if tree.owner_of(file.filename) not in (None, sha256):
            skipped.append(f"{file.filename}: another file of that name is published")
            continue
        tree.put_file(file.filename, path, sha256)
        metadata = read_metadata(path, file.filename)
        metadata_sha256 = None
        if metadata is not None:
            tree.put_metadata(file.filename, metadata)
            metadata_sha256 = hashlib.sha256(metadata).hexdigest()
        if provenance is not None:
            tree.put_provenance(file.filename, provenance)
        files.append(
            msgspec.structs.replace(
                file,
                hashes={**file.hashes, "sha256": sha256},
                core_metadata={"sha256": metadata_sha256} if metadata_sha256 else False,
                gpg_sig=None,  # signatures are not published
                provenance=provenance_link(file) if provenance is not None else None,
                size=path.stat().st_size,
            )
        )
    versions = page.versions if page.versions is not None else versions_of(files, page.name)
    return msgspec.structs.replace(page, files=tuple(files), versions=versions)
