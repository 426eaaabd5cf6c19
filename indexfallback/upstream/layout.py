"""Tells what the content of a directory is: a wheelhouse, a static tree of pages, or both.

1. Distributions directly in the directory make it a wheelhouse. Its pages are only of projects of
   which it has no distribution.
2. Without them, a subdirectory ``simple/`` with pages in its subdirectories makes it the root of a
   static tree, whose pages are those.
3. Otherwise ``NAME/index.html`` is the page of project NAME, which replaces its distributions.

Any HTML file may be called ``index.html``. Therefore a page must list a distribution of its project
where other evidence speaks against it: in a wheelhouse, where a distribution lies in no directory
with the page of its project, or where ``NAME/`` is called ``simple`` or has pages below it.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

from indexfallback.dists.bounds import ContradictionError
from indexfallback.names import is_project_name, normalize
from indexfallback.upstream.answers import Skipped
from indexfallback.upstream.contents import Contents
from indexfallback.upstream.folders import NO_PROJECT, PAGE, Folder
from indexfallback.upstream.roots import SIMPLE, join


class Found(NamedTuple):
    """A distribution."""

    folder: str
    name: str
    project: str


class Layout(NamedTuple):
    """The projects of a directory, in distributions and in pages."""

    #: In the order of directories, parents first, and by name.
    distributions: tuple[Found, ...]
    #: Project to the path of its page.
    pages: Mapping[str, str]
    #: Paths that are left out, and why.
    skipped: tuple[Skipped, ...]


def layout_of(top: str, folders: Mapping[str, Folder], contents: Contents) -> Layout:
    """Return the layout of a directory from its ``folders``, by path with parents first."""
    found: list[Found] = []
    skipped: list[Skipped] = []
    for path, folder in folders.items():
        projects = dict(folder.files)
        reasons = dict(folder.skipped)
        for name in folder.ambiguous:
            try:
                project = contents.project(join(path, name), name)
            except ContradictionError as error:
                reasons[name] = str(error)
                continue
            if project is None:
                reasons[name] = NO_PROJECT
            else:
                projects[name] = project
        found += (Found(path, name, projects[name]) for name in sorted(projects))
        skipped += (Skipped(join(path, n) if n else path, why) for n, why in reasons.items())
    pages, refused = _pages(top, folders, found, contents)
    return Layout(tuple(found), pages, (*skipped, *refused))


def _pages(
    top: str, folders: Mapping[str, Folder], found: list[Found], contents: Contents
) -> tuple[dict[str, str], list[Skipped]]:
    """Return the path of the page of each project that has one, and the pages that are left out."""
    is_wheelhouse = any(each.folder == top for each in found)
    below_simple = _below(join(top, SIMPLE), folders)
    if below_simple and not is_wheelhouse:
        return {project: join(path, PAGE) for project, path in below_simple.items()}, []
    candidates = _below(top, folders)
    if is_wheelhouse:
        for project in {each.project for each in found} & candidates.keys():
            del candidates[project]
    is_mixed = is_wheelhouse or _lie_elsewhere(top, candidates, found)
    pages: dict[str, str] = {}
    refused: list[Skipped] = []
    for project, path in candidates.items():
        page = join(path, PAGE)
        is_list_of_names = project == SIMPLE or bool(_below(path, folders))
        if not (is_mixed or is_list_of_names) or contents.lists(page, project):
            pages[project] = page
        elif not is_list_of_names:
            refused.append(Skipped(page, f"lists no distribution of {project}"))
    return pages, refused


def _below(parent: str, folders: Mapping[str, Folder]) -> dict[str, str]:
    """Return the projects that may have a page in a subdirectory of ``parent``, and where."""
    if parent not in folders:
        return {}
    paths = ((name, join(parent, name)) for name in folders[parent].folders)
    return {
        normalize(name): path
        for name, path in paths
        if is_project_name(name) and path in folders and folders[path].has_page
    }


def _lie_elsewhere(top: str, candidates: Mapping[str, str], found: list[Found]) -> bool:
    """Tell whether a distribution lies in no directory that may have the page of its project."""
    homes = {path: project for project, path in candidates.items()}
    begin = len(top) + 1
    for each in found:
        end = each.folder.find(os.sep, begin)
        home = each.folder if end < 0 else each.folder[:end]
        if homes.get(home) != each.project:
            return True
    return False
