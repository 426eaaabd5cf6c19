"""Random universes of packages for resolvers: some have a solution, some have none.

A universe is made from its seed alone, and its names have a prefix of their own, so that one index
serves any number of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from indexfallback.names import normalize
from tests.fakes.index import FakeIndex
from tests.fakes.wheels import Dist, sdist, wheel

_PROJECTS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
_EXTRAS = ("fast", "docs")
#: From old to new, with everything that PEP 440 knows; the first ones are the most frequent.
_RELEASES = ("1.0", "1.1", "1.2.1", "2.0", "3.0")
_RARE_RELEASES = (
    "0.9.dev1", "1.0.post1", "1.0+cpu", "1.1+local.2", "2.0a1", "2.0rc1", "3.0b2", "1!0.5",
)  # fmt: skip
_SPECIFIERS = ("", ">=1.0", ">=1.1", "<2.0", "~=1.0", "!=1.1", "==1.*", ">1.0,<3.0", ">=2.0")
_RARE_SPECIFIERS = (
    "==1.0", "==1.1", "===1.0", "==1.0+cpu", ">=2.0a1", "<3.0b3", "==2.0rc1", ">=9.0", ">=1!0",
)  # fmt: skip
_MARKERS = (
    "python_version >= '3.8'", "python_version < '3.8'", "sys_platform == 'linux'",
    "sys_platform == 'win32'", "implementation_name == 'cpython'", "os_name == 'nt'",
)  # fmt: skip
_PYTHONS = (">=3.8", ">=3.10", "<3.8", ">=3.99", ">=3.8,<4", "!=3.9.*")
_TAGS = (
    "py2.py3-none-any", "py2-none-any", "cp36-cp36m-win_amd64", "cp39-cp39-macosx_11_0_arm64",
    "py3-none-manylinux_2_17_x86_64", "py3-none-win32",
)  # fmt: skip
_DAYS = ("2024-01-01", "2025-01-01", "2026-01-01")
#: Options of ``uv pip compile``; in most universes none.
_OPTIONS = (
    ("--prerelease", "allow"),
    ("--prerelease", "disallow"),
    ("--resolution", "lowest"),
    ("--resolution", "lowest-direct"),
    ("--universal",),
    ("--no-build",),
    ("--exclude-newer", "2025-06-01T00:00:00Z"),
)


@dataclass(frozen=True)
class Entry:
    """One file of a universe, as its index lists it."""

    dist: Dist
    yanked: bool | str
    #: Whether the index has a metadata file for it.
    has_metadata: bool
    upload_time: str


@dataclass(frozen=True)
class Universe:
    """Files, and what is wanted of them."""

    seed: int
    files: tuple[Entry, ...]
    requirements: tuple[str, ...]
    #: Options for uv.
    options: tuple[str, ...]

    @property
    def projects(self) -> tuple[str, ...]:
        """The normalised names of the projects, in order."""
        return tuple(dict.fromkeys(entry.dist.project for entry in self.files))

    def publish(self, index: FakeIndex, projects: Collection[str]) -> None:
        """Put the files of some of the projects into an index."""
        for entry in self.files:
            dist = entry.dist
            if dist.project not in projects:
                continue
            index.add(dist, yanked=entry.yanked, upload_time=entry.upload_time)
            if not entry.has_metadata:
                index.project(dist.project).files[dist.filename].metadata = False


def universe(seed: int) -> Universe:
    """Return the universe of a seed."""
    rng = Random(f"universe {seed}")
    prefix = f"u{seed}"
    names = [f"{prefix}-{name}" for name in _PROJECTS[: rng.randint(2, len(_PROJECTS))]]
    files = [entry for name in names for entry in _project(rng, name, names)]
    wanted = rng.sample(names, min(len(names), rng.choice((1, 2, 2, 3))))
    missing = [f"{prefix}-nowhere"] if rng.random() < 0.05 else []
    return Universe(
        seed,
        tuple(files),
        tuple(_requirement(rng, name) for name in [*wanted, *missing]),
        rng.choice(_OPTIONS) if rng.random() < 0.3 else (),
    )


def _project(rng: Random, name: str, names: Sequence[str]) -> list[Entry]:
    versions = rng.sample(_RELEASES, rng.randint(1, 4))
    versions += rng.sample(_RARE_RELEASES, rng.choice((0, 0, 0, 1, 2)))
    spelt = name.replace("-", rng.choice("-_.")).title() if rng.random() < 0.2 else name
    return [entry for version in versions for entry in _release(rng, spelt, version, names)]


def _release(rng: Random, name: str, version: str, names: Sequence[str]) -> list[Entry]:
    """Return the files of one version, which all require the same."""
    others = [other for other in names if other != normalize(name)]
    required = rng.sample(others, min(len(others), rng.choice((0, 1, 1, 2, 3))))
    requires = [_requirement(rng, other, in_metadata=True) for other in required]
    python = rng.choice(_PYTHONS) if rng.random() < 0.25 else None
    make = partial(wheel, name, version, requires=requires, requires_python=python)
    kind = rng.random()
    dists = [make()] if kind < 0.7 else []
    if kind > 0.55:
        dists.append(sdist(name, version, requires=requires, requires_python=python))
    if not 0.2 < kind < 0.8:
        dists += [make(tag=tag) for tag in rng.sample(_TAGS, rng.randint(1, 2))]
    if kind > 0.9:  # wheels of other platforms alone
        dists = [dist for dist in dists if dist.is_wheel]
    yanked = rng.choice((True, "it is broken")) if rng.random() < 0.12 else False
    day = rng.choice(_DAYS)
    return [Entry(dist, yanked, rng.random() < 0.8, f"{day}T00:00:00.000000Z") for dist in dists]


def _requirement(rng: Random, name: str, *, in_metadata: bool = False) -> str:
    """Return a requirement of a project, perhaps with extras and a marker."""
    extras = f"[{rng.choice(_EXTRAS)}]" if rng.random() < 0.2 else ""
    specifiers = _SPECIFIERS if rng.random() < 0.85 else _RARE_SPECIFIERS
    requirement = f"{name}{extras}{rng.choice(specifiers)}"
    if in_metadata and rng.random() < 0.3:
        return f'{requirement}; extra == "{rng.choice(_EXTRAS)}"'
    return f"{requirement}; {rng.choice(_MARKERS)}" if rng.random() < 0.15 else requirement
