"""Projects that are mirrored because files or mirrored wheels require them."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from packaging.requirements import Requirement

from indexfallback.config.mirror import Mirror, Wanted
from indexfallback.dists.metadata import read_metadata
from indexfallback.dists.requirements import requires_dist
from indexfallback.mirror.selection import Selection
from indexfallback.names import normalize
from indexfallback.store import Store


def selection_of(mirror: Mirror, store: Store, source: str) -> Selection:
    """Return the selection, by the settings and by the requirements of the mirrored wheels.

    Raises `WantedError` for a requirement file that cannot be read.
    """
    more = {wanted for path in mirror.requirements for wanted in _named_in(path)}
    selection = Selection(mirror, more)
    if not mirror.dependencies:
        return selection
    names = store.mirrors.names(source)
    while True:
        required = {
            wanted
            for project in names
            if selection.wants(project)
            for wanted in _required_by(store, source, project)
        }
        if required <= more:
            return selection
        more |= required
        selection = Selection(mirror, more)


def _named_in(path: Path) -> Iterator[Wanted]:
    """Yield the requirements of a requirement, project or lock file."""
    from indexfallback.wanted.reading import read_file  # noqa: PLC0415 - slow, and rarely wanted

    read = read_file(path)
    for demand in read.demands:
        yield _wanted(Requirement(demand.text))
    for pin in read.pins:
        yield Wanted(pin.project, f"=={pin.version}")


def _required_by(store: Store, source: str, project: str) -> Iterator[Wanted]:
    """Yield the requirements of a project's mirrored wheels, for all platforms, without extras."""
    for file in store.mirrors.files(source, project):
        if file.filename.endswith(".whl"):
            yield from _required(store.blobs.path(file.sha256), file.filename)


@lru_cache(maxsize=100_000)
def _required(path: Path, filename: str) -> tuple[Wanted, ...]:
    """Return the requirements of a wheel; cached because a blob never changes."""
    try:
        metadata = read_metadata(path, filename)
    except OSError:  # the blob is missing: `mirror verify` reports and repairs that
        return ()
    return tuple(
        _wanted(requirement)
        for requirement in requires_dist(metadata or b"")
        if requirement.url is None and "extra" not in str(requirement.marker or "")
    )


def _wanted(requirement: Requirement) -> Wanted:
    return Wanted(normalize(requirement.name), str(requirement.specifier))
