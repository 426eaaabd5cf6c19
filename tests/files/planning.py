"""An index in memory, and a client of it, for tests of what is planned ahead."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.requirements import Requirement

from indexfallback.dists.interpreters import Interpreter
from indexfallback.files.pinned import FileAddress
from indexfallback.files.planner import PageAddress, Planner, Step
from indexfallback.files.profile import Profile
from indexfallback.names import METADATA_ENDING, FileKey
from indexfallback.page import File, ProjectPage

LINUX = Interpreter("3.11.7", "manylinux_2_36_x86_64")
INSTALLING = Profile(LINUX, installs=True)
LOCKING = Profile(LINUX, installs=False)
OWNER = "pypi"


@dataclass(frozen=True)
class Release:
    """One version of a project: a wheel that requires others."""

    version: str
    requires: tuple[str, ...] = ()
    size: int | None = None
    tag: str = "py3-none-any"
    is_sdist: bool = False
    yanked: bool = False
    has_metadata: bool = True
    requires_python: str | None = None


@dataclass
class World:
    """Projects and their releases, as an index lists them."""

    projects: dict[str, Iterable[Release]] = field(default_factory=dict)

    def page(self, project: str) -> ProjectPage:
        """Return a project's page."""
        releases = self.projects.get(project, ())
        return ProjectPage(name=project, files=tuple(_file(project, each) for each in releases))

    def requirements(self, address: FileAddress) -> list[Requirement]:
        """Return what the metadata at an address state."""
        project = address.key.project
        for release in self.projects[project]:
            if metadata(project, release) == address:
                return [Requirement(text) for text in release.requires]
        raise AssertionError(f"no page lists {address}")


def world(**projects: str | Release | Iterable[Release]) -> World:
    """Return a world: ``a="b c"`` is a project with one release that requires two others."""
    return World({name: _releases(value) for name, value in projects.items()})


def _releases(value: str | Release | Iterable[Release]) -> Iterable[Release]:
    if isinstance(value, str):
        return (Release("1.0", tuple(value.split())),)
    return (value,) if isinstance(value, Release) else tuple(value)


def _filename(project: str, release: Release) -> str:
    name = project.replace("-", "_")
    ending = ".tar.gz" if release.is_sdist else f"-{release.tag}.whl"
    return f"{name}-{release.version}{ending}"


def _file(project: str, release: Release) -> File:
    filename = _filename(project, release)
    return File(
        filename=filename,
        url=f"https://files.example.com/{filename}",
        core_metadata=release.has_metadata,
        size=release.size,
        yanked=release.yanked,
        requires_python=release.requires_python,
    )


def page(project: str, alone: str | None = None) -> PageAddress:
    """Return the address of a page."""
    return PageAddress(project, alone)


def wheel(project: str, release: Release | str = "1.0") -> FileAddress:
    """Return the address of a release's file."""
    release = Release(release) if isinstance(release, str) else release
    return FileAddress(OWNER, FileKey(project, None), _filename(project, release))


def metadata(project: str, release: Release | str = "1.0") -> FileAddress:
    """Return the address of a release's metadata."""
    address = wheel(project, release)
    return address._replace(filename=address.filename + METADATA_ENDING)


def answer(planner: Planner, known: World, step: Step) -> None:
    """Give a planner what a step comes to."""
    if isinstance(step, PageAddress):
        planner.read_page(step, OWNER, known.page(step.project))
    elif step.is_metadata:
        planner.read_metadata(step, known.requirements(step))


def get(planner: Planner, known: World, step: Step) -> None:
    """Have the client ask for something, and get it."""
    planner.asks(step)
    answer(planner, known, step)


def take(planner: Planner, known: World) -> list[Step]:
    """Take all steps of a planner, and return them in their order."""
    taken = []
    while (step := planner.next()) is not None:
        taken.append(step)
        answer(planner, known, step)
    return taken
