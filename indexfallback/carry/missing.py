"""Finds requirements that the cache does not meet: stated ones, and those of the builds of sdists.

Nothing is resolved: any cached version that a requirement allows meets it, whatever its platform.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.version import Version

from indexfallback.dists.fitting import SDISTS
from indexfallback.dists.metadata import read_requirements
from indexfallback.dists.requirements import applies, requires_dist, valid_requirements
from indexfallback.dists.sdist_requirements import build_requirements
from indexfallback.names import is_distribution, normalize, version_in
from indexfallback.store import Blob, Store, inventory


class Need(NamedTuple):
    """A requirement, and why it is one."""

    requirement: Requirement
    #: A distribution, or a requirement file and line.
    required_by: str
    #: The sdist that is built with it; empty for other requirements.
    builds: str = ""

    @property
    def purpose(self) -> str:
        """``to be built``, ``to build acme-1.0.tar.gz``, or empty."""
        if self.builds == self.required_by:
            return "to be built"
        return f"to build {self.builds}" if self.builds else ""


class Missing(NamedTuple):
    """A requirement that no cached version meets."""

    #: Without its marker: ``builder[fast]>=2``; or an address.
    requirement: str
    #: All that state it; at least one.
    required_by: tuple[str, ...]
    #: That of the first one, as in `Need`.
    purpose: str = ""

    def __str__(self) -> str:
        first, *others = self.required_by
        require = f"and {len(others)} more require" if others else "requires"
        return f"{self.requirement}, which {first} {require} {self.purpose}".rstrip()


class _Distribution(NamedTuple):
    """A cached distribution. They are sorted as an installer prefers them, the best one last."""

    version: Version
    is_built: bool
    filename: str
    sha256: str


class _Shelf:
    """The cached distributions of each project."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Most sdists require the same few projects.
        self.of = lru_cache(maxsize=1000)(self._of)

    def _of(self, project: str) -> list[_Distribution]:
        return sorted(
            _Distribution(Version(version), not name.endswith(SDISTS), name, file.sha256)
            for file in inventory.held_files(self._store, project)
            if (name := file.filename) is not None
            and is_distribution(name)
            and (version := version_in(name, project)) is not None
        )

    def best(self, requirement: Requirement) -> _Distribution | None:
        """Return the newest one that meets a requirement; none meets that of an address."""
        if requirement.url is not None:
            return None
        for each in reversed(self.of(normalize(requirement.name))):
            if requirement.specifier.contains(each.version, prereleases=True):
                return each
        return None

    def blob(self, distribution: _Distribution) -> Blob | None:
        return self._store.blobs.find(distribution.sha256)


def missing(store: Store, needs: Iterable[Need]) -> list[Missing]:
    """Return the requirements that no cached version meets."""
    shelf = _Shelf(store)
    return _joined(need for need in needs if shelf.best(need.requirement) is None)


def missing_to_build(
    store: Store, projects: Collection[str], environment: Mapping[str, str]
) -> list[Missing]:
    """Return what the cached sdists of these projects require to be built and the cache lacks.

    ``environment`` is the Python to build with, as markers name it (PEP 508). Sdists beside a wheel
    of their version are left out, because they are rarely built.
    """
    return _joined(_Builds(_Shelf(store), environment).unmet(projects))


def _joined(needs: Iterable[Need]) -> list[Missing]:
    found: dict[str, list[Need]] = {}
    for need in needs:
        stated = Requirement(str(need.requirement))
        stated.marker = None
        found.setdefault(str(stated), []).append(need)
    return [
        Missing(text, tuple(need.required_by for need in needs), needs[0].purpose)
        for text, needs in found.items()
    ]


class _Builds:
    """Follows the build requirements of sdists, and what these require to run."""

    def __init__(self, shelf: _Shelf, environment: Mapping[str, str]) -> None:
        self._shelf = shelf
        self._environment = environment
        self._followed: set[tuple[str, frozenset[str]]] = set()

    def unmet(self, projects: Collection[str]) -> Iterator[Need]:
        for project in sorted(projects):
            waiting = deque(self._of_builds(project))
            while waiting:
                need = waiting.popleft()
                best = self._shelf.best(need.requirement)
                if best is None:
                    yield need
                else:
                    waiting += self._of(best, need)

    def _of_builds(self, project: str) -> Iterator[Need]:
        """Yield the build requirements of a project's sdists."""
        distributions = self._shelf.of(project)
        built = {each.version for each in distributions if each.is_built}
        for sdist in distributions:
            blob = self._shelf.blob(sdist) if sdist.version not in built else None
            if blob is None:
                continue
            for each in valid_requirements(build_requirements(blob.path, sdist.filename)):
                if self._applies(each, ()):
                    yield Need(each, sdist.filename, sdist.filename)

    def _of(self, distribution: _Distribution, need: Need) -> Iterator[Need]:
        """Yield what a distribution requires to run, with the extras that are needed of it."""
        extras = frozenset(need.requirement.extras)
        followed = distribution.sha256, extras
        blob = self._shelf.blob(distribution) if followed not in self._followed else None
        if blob is None:
            return
        self._followed.add(followed)
        for each in requires_dist(_metadata(blob, distribution.filename)):
            if self._applies(each, extras):
                yield Need(each, distribution.filename, need.builds)

    def _applies(self, requirement: Requirement, extras: Collection[str]) -> bool:
        environments = ({**self._environment, "extra": extra} for extra in ("", *extras))
        return any(applies(requirement, each) for each in environments)


def _metadata(blob: Blob, filename: str) -> bytes:
    try:
        return read_requirements(blob.path, filename) or b""
    except FileNotFoundError:  # evicted meanwhile
        return b""
