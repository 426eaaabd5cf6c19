"""Selects the projects of an export: those that match, and their cached requirements."""

from collections.abc import Collection, Iterator, Sequence

from packaging.requirements import Requirement

from indexfallback.dists.requirements import requires_dist, valid_requirements
from indexfallback.dists.sdist_requirements import build_requirements, runtime_requirements
from indexfallback.dists.wheel import read_wheel_metadata
from indexfallback.names import METADATA_ENDING, is_claimed, is_distribution, normalize
from indexfallback.store import Store, maintenance
from indexfallback.store.maintenance import HeldFile


def select(store: Store, patterns: Sequence[str], *, dependencies: bool) -> frozenset[str]:
    """Return the projects with a page or a pin that match, and what their files require.

    Sdists require what builds them, too. For all platforms and extras, because the other machine
    may differ.
    """
    known = {page.project for page in maintenance.all_pages(store)}
    known.update(pin.project for pin in store.pins)
    chosen = {project for project in known if is_claimed(project, patterns)}
    waiting = list(chosen) if dependencies and chosen != known else []
    while waiting:
        required = known.intersection(_required(store, waiting.pop())) - chosen
        chosen |= required
        waiting += required
    return frozenset(chosen)


def _required(store: Store, project: str) -> Iterator[str]:
    """Yield the projects that the cached files of one require."""
    files = maintenance.held_files(store, project)
    names = {file.filename for file in files}
    for file in files:
        try:
            yield from {normalize(each.name) for each in _requirements(store, file, names)}
        except FileNotFoundError:  # evicted meanwhile, and therefore not exported
            continue


def _requirements(
    store: Store, file: HeldFile, names: Collection[str | None]
) -> Iterator[Requirement]:
    """Yield what a file requires; nothing for a wheel whose metadata is cached beside it."""
    name = file.filename
    blob = store.blobs.find(file.sha256) if name is not None else None
    if name is None or blob is None:
        return
    if name.endswith(METADATA_ENDING):
        yield from requires_dist(blob.path.read_bytes())
    elif name.endswith(".whl"):
        if f"{name}{METADATA_ENDING}" not in names:
            yield from requires_dist(read_wheel_metadata(blob.path, name) or b"")
    elif is_distribution(name):
        yield from runtime_requirements(blob.path, name)
        yield from valid_requirements(build_requirements(blob.path, name))
