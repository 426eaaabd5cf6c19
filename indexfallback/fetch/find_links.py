"""Distributions in the directories of `find-links`, which need not be fetched."""

from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from indexfallback.dists.requirements import applies
from indexfallback.errors import FileError
from indexfallback.fetch.file_selection import select_file
from indexfallback.fetch.target import Target
from indexfallback.fetch.unsatisfied import Offer
from indexfallback.names import is_distribution, normalize, project_of
from indexfallback.page import File, ProjectPage
from indexfallback.wanted import Demand, Pin, Wanted


def directory_with(pin: Pin, target: Target, wanted: Wanted) -> str | None:
    """Return the first directory that has a file of a pin for a target; None without one."""
    for directory in wanted.find_links:
        page = ProjectPage(name=pin.project, files=tuple(_files(directory)))
        try:
            file = select_file(Offer(page, page), pin, target, wanted)
        except FileError:  # not in this one
            continue
        if file is not None:
            return directory
    return None


def needs_page(demand: Demand, target: Target, wanted: Wanted) -> bool:
    """Tell whether a demand applies to a target, and no directory has its project."""
    requirement = Requirement(demand.text)
    if not applies(requirement, {**target.markers, "extra": ""}):
        return False
    project = normalize(requirement.name)
    files = (file for directory in wanted.find_links for file in _files(directory))
    return all(project_of(file.filename) != project for file in files)


def _files(directory: str) -> Iterator[File]:
    for path in sorted(Path(directory).glob("*")):
        if is_distribution(path.name):
            yield File(filename=path.name, url=path.as_uri())
