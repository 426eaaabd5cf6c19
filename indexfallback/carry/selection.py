"""Selects the projects of an export: those that match, and their cached requirements."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

from indexfallback.dists.fitting import SDISTS
from indexfallback.dists.requirements import requires_dist, valid_requirements
from indexfallback.dists.sdist_requirements import build_requirements, runtime_requirements
from indexfallback.dists.wheel import read_wheel_metadata
from indexfallback.names import METADATA_ENDING, is_claimed, normalize
from indexfallback.store import Store, inventory


class Selection(NamedTuple):
    """The projects of an export."""

    projects: frozenset[str]
    #: Those of them that are only needed to build others.
    build_only: frozenset[str] = frozenset()


def select(store: Store, patterns: Sequence[str], *, dependencies: bool) -> Selection:
    """Return the projects with a page or a pin that match, and what their files require.

    Sdists require what builds them, too. For all platforms and extras, because the other machine
    may differ.
    """
    known = {page.project for page in inventory.all_pages(store)}
    known.update(pin.project for pin in store.pins)
    matching = frozenset(project for project in known if is_claimed(project, patterns))
    if not dependencies or matching == known:
        return Selection(matching)

    @cache
    def to_run(project: str) -> frozenset[str]:
        return frozenset(_required_to_run(store, project)) & known

    def to_run_and_build(project: str) -> frozenset[str]:
        return to_run(project).union(known.intersection(_required_to_build(store, project)))

    running = _with_required(matching, to_run)
    projects = _with_required(running, to_run_and_build)
    return Selection(projects, projects - running)


def _with_required(
    projects: frozenset[str], required: Callable[[str], frozenset[str]]
) -> frozenset[str]:
    """Return projects with all that they require, directly or through others."""
    found, waiting = set(projects), list(projects)
    while waiting:
        more = required(waiting.pop()) - found
        found |= more
        waiting += more
    return frozenset(found)


def _required_to_run(store: Store, project: str) -> Iterator[str]:
    """Yield the projects that the cached files of one require to run."""
    files = inventory.held_files(store, project)
    names = {file.filename for file in files}
    for file in files:
        blob = store.blobs.find(file.sha256)
        if file.filename is None or blob is None:
            continue
        try:
            for each in _requirements(blob.path, file.filename, names):
                yield normalize(each.name)
        except FileNotFoundError:  # evicted meanwhile, and therefore not exported
            continue


def _requirements(
    path: Path, filename: str, names: Collection[str | None]
) -> Iterator[Requirement]:
    """Yield what a file requires to run; nothing for a wheel whose metadata is among ``names``."""
    if filename.endswith(METADATA_ENDING):
        yield from requires_dist(path.read_bytes())
    elif filename.endswith(SDISTS):
        yield from runtime_requirements(path, filename)
    elif filename.endswith(".whl") and f"{filename}{METADATA_ENDING}" not in names:
        yield from requires_dist(read_wheel_metadata(path, filename) or b"")


def _required_to_build(store: Store, project: str) -> Iterator[str]:
    """Yield the projects that the cached sdists of one require to be built."""
    for file in inventory.held_files(store, project):
        if file.filename is None or not file.filename.endswith(SDISTS):
            continue
        blob = store.blobs.find(file.sha256)
        if blob is not None:
            for each in valid_requirements(build_requirements(blob.path, file.filename)):
                yield normalize(each.name)
