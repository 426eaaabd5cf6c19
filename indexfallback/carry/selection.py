"""Selects the projects of an export: those that match, and their cached requirements."""

from collections.abc import Collection, Iterator, Sequence

from indexfallback.dists.metadata import read_metadata
from indexfallback.dists.requirements import requires_dist
from indexfallback.names import METADATA_ENDING, is_claimed, normalize
from indexfallback.store import Store, maintenance
from indexfallback.store.maintenance import HeldFile


def select(store: Store, patterns: Sequence[str], *, dependencies: bool) -> frozenset[str]:
    """Return the projects with a page or a pin that match, and what their files require.

    For all platforms and extras, because the other machine may differ.
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
        for requirement in requires_dist(_metadata(store, file, names)):
            yield normalize(requirement.name)


def _metadata(store: Store, file: HeldFile, names: Collection[str | None]) -> bytes:
    """Return the metadata of a file; empty if it has none, or if it is cached beside it."""
    if file.filename is None or f"{file.filename}{METADATA_ENDING}" in names:
        return b""
    blob = store.blobs.find(file.sha256)
    if blob is None:
        return b""
    if file.filename.endswith(METADATA_ENDING):
        return blob.path.read_bytes()
    return read_metadata(blob.path, file.filename) or b""
