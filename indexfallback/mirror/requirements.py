"""What is mirrored because something requires it: files that name it, and mirrored wheels."""

from collections.abc import Iterable, Iterator
from email.parser import BytesHeaderParser
from functools import lru_cache
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from indexfallback.config.mirror import Mirror, Wanted
from indexfallback.dists.metadata import read_metadata
from indexfallback.mirror.selection import Selection
from indexfallback.names import normalize
from indexfallback.store import Store


def selection_of(mirror: Mirror, store: Store, source: str) -> Selection:
    """Return what is wanted, by the settings and by what is mirrored so far.

    Raises `WantedError` for a file of requirements that cannot be read.
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
    """Yield what a file of requirements, a project's or a lock file names."""
    from indexfallback.wanted.reading import read_file  # noqa: PLC0415 - slow, and rarely wanted

    read = read_file(path)
    for demand in read.demands:
        yield _wanted(Requirement(demand.text))
    for pin in read.pins:
        yield Wanted(pin.project, f"=={pin.version}")


def _required_by(store: Store, source: str, project: str) -> Iterator[Wanted]:
    """Yield what the mirrored wheels of a project require, whatever the platform; no extras."""
    for file in store.mirrors.files(source, project):
        if file.filename.endswith(".whl"):
            yield from _required(store.blobs.path(file.sha256), file.filename)


@lru_cache(maxsize=100_000)
def _required(path: Path, filename: str) -> tuple[Wanted, ...]:
    """Return what a wheel requires; a blob never changes, so that it is read once."""
    try:
        metadata = read_metadata(path, filename)
    except OSError:  # not here: `mirror verify` says so, and mends it
        return ()
    stated = BytesHeaderParser().parsebytes(metadata or b"").get_all("Requires-Dist", [])
    return tuple(_readable(str(text) for text in stated))


def _readable(texts: Iterable[str]) -> Iterator[Wanted]:
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # installers refuse the wheel, and nobody needs it for that
            continue
        if requirement.url is None and "extra" not in str(requirement.marker or ""):
            yield _wanted(requirement)


def _wanted(requirement: Requirement) -> Wanted:
    return Wanted(normalize(requirement.name), str(requirement.specifier))
