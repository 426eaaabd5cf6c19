"""Scans a directory of distributions, at any depth: its files by project, and what is left out.

A repeated scan needs one call for each subdirectory whose modification time is the same, and for
each file whose content was needed (`contents`). Nothing is written to the directory.
"""

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from indexfallback.upstream.answers import Skipped
from indexfallback.upstream.contents import Contents
from indexfallback.upstream.facts import FactsCache, NoFacts, stamp_of
from indexfallback.upstream.folders import Folder, read_folder
from indexfallback.upstream.layout import layout_of
from indexfallback.upstream.roots import Roots, join

#: The largest page that is opened to tell whether it is one, bytes.
_PAGE_SIZE = 64 * 1024**2


class DirectoryListing(NamedTuple):
    """The content of a directory, subdirectories included."""

    folders: Mapping[str, Folder]
    contents: Contents
    #: Project to the paths of its files, sorted by name.
    projects: Mapping[str, tuple[str, ...]]
    #: Project to the path of its page, in a static tree.
    pages: Mapping[str, str]
    skipped: tuple[Skipped, ...]
    #: All projects, sorted.
    names: tuple[str, ...]
    #: The paths of files that are the provenance of the distribution beside them.
    provenances: frozenset[str] = frozenset()


def scan(
    root: Path, before: DirectoryListing | None = None, facts: FactsCache | None = None
) -> DirectoryListing:
    """Return the content of ``root``; raises OSError if that itself cannot be read.

    ``before`` is the result of an earlier scan, and ``facts`` has what is known of files.
    Directories whose names begin with a dot (``.git``, ``.snapshot``) are ignored.
    """
    roots = Roots(root)
    if before is not None and roots.top in before.folders and _is_current(before):
        return before
    known = before.folders if before is not None else {}
    folders: dict[str, Folder] = {}
    waiting = [roots.top]
    for path in waiting:  # which grows in the loop
        folder = read_folder(path, roots, known.get(path))
        if folder is not None:
            folders[path] = folder
            waiting += (join(path, name) for name in folder.folders)
    earlier = before.contents if before is not None else None
    kept = facts if facts is not None else NoFacts()
    return _listing(roots.top, folders, Contents(kept, _PAGE_SIZE, earlier))


def _is_current(listing: DirectoryListing) -> bool:
    """Tell whether no directory has changed since; a new or removed one changes its parent."""
    try:
        return (
            all(
                folder.is_settled and os.stat(path).st_mtime_ns == folder.modified  # noqa: PTH116 - as in `join`
                for path, folder in listing.folders.items()
            )
            and listing.contents.are_current()
        )
    except OSError:
        return False


def shown(path: str, root: str) -> str:
    """Return a path relative to ``root``, with unprintable bytes escaped."""
    return ascii(os.path.relpath(path, root))[1:-1]


def _listing(top: str, folders: Mapping[str, Folder], contents: Contents) -> DirectoryListing:
    layout = layout_of(top, folders, contents)
    projects: defaultdict[str, list[str]] = defaultdict(list)
    first: dict[str, str] = {}
    skipped: list[Skipped] = list(layout.skipped)
    for each in layout.distributions:
        path = join(each.folder, each.name)
        earlier = first.get(each.name)
        if earlier is None:
            first[each.name] = path
            projects[each.project].append(path)
        elif not _is_same(path, earlier):
            skipped.append(Skipped(path, f"the same name as {shown(earlier, top)}"))
    return DirectoryListing(
        folders,
        contents,
        {project: tuple(paths) for project, paths in projects.items()},
        layout.pages,
        tuple(sorted(Skipped(shown(path, top), reason) for path, reason in skipped)),
        tuple(sorted({*projects, *layout.pages})),
        frozenset(join(path, name) for path, each in folders.items() for name in each.provenances),
    )


def _is_same(path: str, other: str) -> bool:
    """Tell whether a file is another one under a second path: a link to it, or a copy of it."""
    try:
        return stamp_of(os.stat(path)) == stamp_of(os.stat(other))  # noqa: PTH116 - as in `join`
    except OSError:  # removed meanwhile
        return True
