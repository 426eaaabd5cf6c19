"""Virtual environments with each zc.buildout, kept between runs; fake indexes for them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.buildout.support import (
    NEWEST,
    VERSIONS,
    Environment,
    Project,
    Version,
    file_dist,
    key_of,
)
from tests.clients.conftest import Access, access  # noqa: F401 - a fixture
from tests.clients.support import alone, make_environment, uv_executable
from tests.fakes import FakeIndex, sdist, wheel
from tests.in_process import ROOT

#: Making one environment: 25 distributions from PyPI.
_MAKING_SECONDS = 600


@pytest.fixture(scope="session")
def make(
    request: pytest.FixtureRequest,
    access: Access | None,  # noqa: F811 - the fixture
) -> Callable[[Version], Environment]:
    """Return what gives the environment of a version."""
    made: dict[Version, Environment] = {}

    def give(version: Version) -> Environment:
        if version not in made:
            key = key_of(version, sys.version_info, sys.executable, ROOT, _dependencies())
            home = request.config.cache.mkdir(f"buildout-{key}")
            made[version] = _environment(version, home, access)
        return made[version]

    return give


def _dependencies() -> str:
    return (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.")[0]


def _environment(version: Version, home: Path, access: Access | None) -> Environment:  # noqa: F811
    with alone(home / "making.lock", _MAKING_SECONDS):
        _make(version, home, access)
    python = home / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    recipe_files = tuple(map(file_dist, (home / "recipe").iterdir()))
    return Environment(version, python, recipe_files, home / "wheels")


def _make(version: Version, home: Path, access: Access | None) -> None:  # noqa: F811
    """Install a buildout and ours, if that was not done before."""
    done = home / "made"
    if done.exists():
        return
    if access is None:
        pytest.skip("no network, and no environment from an earlier run")
    python = make_environment(home / "venv")
    variables = {**os.environ, **access.environment(), "UV_DEFAULT_INDEX": access.url}

    def call(*command: str) -> None:
        subprocess.run(command, env=variables, check=True, timeout=_MAKING_SECONDS)

    ours = ("--editable", str(ROOT)) if version.is_beside else ()
    install = (uv_executable(), "pip", "install", "--quiet", "--python", str(python))
    call(*install, *version.requirements, *ours)
    pip = (str(python), "-m", "pip")
    of_pip = ("--quiet", "--index-url", access.url, "--no-deps")
    recipe = f"zc.recipe.egg=={version.recipe}"
    call(*pip, "download", *of_pip, "--dest", str(home / "recipe"), recipe, *version.builders)
    if not version.is_beside:
        call(*pip, "wheel", *of_pip[:-1], "--wheel-dir", str(home / "wheels"), str(ROOT))
    done.touch()


@pytest.fixture
def environment(
    request: pytest.FixtureRequest, make: Callable[[Version], Environment]
) -> Environment:
    """The newest buildout, unless a test is for several."""
    return make(getattr(request, "param", NEWEST))


oldest_and_newest = pytest.mark.parametrize(
    "environment", VERSIONS[::3], ids=[version.buildout for version in VERSIONS[::3]], indirect=True
)
every_version = pytest.mark.parametrize(
    "environment", VERSIONS, ids=[version.buildout for version in VERSIONS], indirect=True
)


@pytest.fixture
def project(tmp_path: Path, environment: Environment) -> Project:
    return Project(tmp_path / "project", environment)


@pytest.fixture
def public(environment: Environment) -> Iterator[FakeIndex]:
    """A public index with the recipe, wheels and an sdist."""
    dists = [
        *environment.recipe,
        wheel("acme-app", "1.0", requires=["acme-lib"]),
        wheel("acme-lib", "3.1"),
        sdist("acme.built", "2.0"),
    ]
    with FakeIndex(dists, metadata=False) as index:
        yield index


@pytest.fixture
def first() -> Iterator[FakeIndex]:
    """An index before the public one."""
    with FakeIndex(metadata=False) as index:
        yield index
