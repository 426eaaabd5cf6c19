"""Projects that are mirrored because files or mirrored distributions require them."""

import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from packaging.requirements import Requirement

from indexfallback.config import Settings
from indexfallback.config.mirror import Mirror, Wanted
from indexfallback.dists.metadata import read_requirements
from indexfallback.dists.requirements import applies_anywhere, requires_dist
from indexfallback.mirror.selection import Selection
from indexfallback.names import normalize, version_in
from indexfallback.store import Store


class Requirements:
    """The requirements of one index's mirror, which add to what the settings select."""

    def __init__(self, settings: Settings, mirror: Mirror, store: Store, source: str) -> None:
        """Read the requirement files; raises `WantedError` for one that cannot be read."""
        self._mirror = mirror
        self._store = store
        self._source = source
        self._named = {
            wanted for path in mirror.requirements for wanted in _named_in(path, settings)
        }
        #: Mirrored files of the releases whose requirements are not known, since none of their
        #: files states them; as of the last `selection`.
        self.unknown: set[str] = set()

    def selection(self) -> Selection:
        """Return the selection, by the settings and by the requirements of what is mirrored."""
        more = set(self._named)
        selection = Selection(self._mirror, more)
        if not self._mirror.dependencies:
            return selection
        self.unknown.clear()
        names = self._store.mirrors.names(self._source)
        followed: dict[str, frozenset[str]] = {}
        while True:
            required: set[Wanted] = set()
            for project in filter(selection.wants, names):
                extras = selection.extras(project)
                if followed.get(project) != extras:
                    followed[project] = extras
                    required.update(self._required_by(project, extras))
            if required <= more:
                return selection
            more |= required
            selection = Selection(self._mirror, more)

    def _required_by(self, project: str, extras: frozenset[str]) -> Iterator[Wanted]:
        """Yield what the mirrored files of a project require, for all platforms.

        Wheels are read first: of a release that has one, no sdist needs to be read.
        """
        files = self._store.mirrors.files(self._source, project)
        known: set[str | None] = set()
        unknown: dict[str, str | None] = {}
        for file in sorted(files, key=lambda file: not file.filename.endswith(".whl")):
            version = version_in(file.filename, project)
            if version in known and not file.filename.endswith(".whl"):
                continue
            try:
                stated = _stated(self._store.blobs.path(file.sha256), file.filename)
            except OSError:  # the blob is missing: `mirror verify` reports and repairs that
                continue
            if stated is None:
                unknown[file.filename] = version
                continue
            known.add(version)
            yield from required(project, stated, extras)
        self.unknown.update(name for name, version in unknown.items() if version not in known)


@lru_cache(maxsize=10_000)
def required(
    project: str, stated: tuple[str, ...], extras: frozenset[str] = frozenset()
) -> frozenset[Wanted]:
    """Return what a distribution of a project requires with these extras, on any platform.

    A requirement on its own project (``demo[fast,safe]; extra == "all"``) adds extras and no
    versions: those are decided by the others that require it. Cached because the versions of a
    project often require the same.
    """
    requirements = [_parsed(text) for text in stated]
    while True:
        found = {_wanted(each) for each in requirements if applies_anywhere(each, extras)}
        own = {wanted for wanted in found if wanted.pattern == project}
        more = extras.union(*(wanted.extras for wanted in own))
        if more == extras:
            return frozenset(found - own)
        extras = more


def _named_in(path: Path, settings: Settings) -> Iterator[Wanted]:
    """Yield the requirements of a requirement, project or lock file, or of a buildout."""
    from indexfallback.upstream.extended import ExtendedFiles  # noqa: PLC0415 - rarely wanted
    from indexfallback.wanted.reading import read_whole  # noqa: PLC0415 - slow, and rarely wanted

    read = read_whole(path, fetch=ExtendedFiles(settings).get)
    for demand in read.demands:
        yield _wanted(_parsed(demand.text))
    for pin in read.pins:
        yield Wanted(pin.project, f"=={pin.version}")


@lru_cache(maxsize=100_000)
def _stated(path: Path, filename: str) -> tuple[str, ...] | None:
    """Return the requirements in a distribution, or None if it does not state them.

    Cached because a blob never changes, as text because that is small and often the same. Raises
    OSError.
    """
    metadata = read_requirements(path, filename)
    if metadata is None:
        return None
    stated = requires_dist(metadata)
    return tuple(sys.intern(_text_of(each)) for each in stated if not each.url)


def _text_of(requirement: Requirement) -> str:
    """Return a requirement as text that can be parsed."""
    try:
        Requirement(str(requirement))
    # packaging 25 quotes values with quotes and backslashes wrongly. As in `applies_anywhere`, what
    # has such a marker always applies.
    except (SyntaxError, ValueError):
        requirement.marker = None
    return str(requirement)


@lru_cache(maxsize=2000)
def _parsed(requirement: str) -> Requirement:
    return Requirement(requirement)


def _wanted(requirement: Requirement) -> Wanted:
    extras = sorted(map(normalize, requirement.extras))
    return Wanted(normalize(requirement.name), str(requirement.specifier), tuple(extras))
