"""A buildout installs from a static tree, behind plain web servers and from the disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.buildout.support import VERSIONS, Environment, Project
from tests.cli.support import CommandLine
from tests.fakes import flat_directory, wheel
from tests.tree.servers import http_server, nginx


@pytest.fixture
def tree(tmp_path: Path, environment: Environment) -> Path:
    """Return a published tree with the recipe and two wheels."""
    dists = [
        *environment.recipe,
        wheel("acme-app", "1.0", requires=["acme-lib"]),
        wheel("acme-lib", "3.1"),
    ]
    wheels = flat_directory(tmp_path / "wheels", dists)
    (tmp_path / "publisher").mkdir()
    publisher = CommandLine(tmp_path / "publisher")
    publisher("publish-tree", str(tmp_path / "tree"), "--directory", str(wheels)).expect()
    return tmp_path / "tree"


@pytest.fixture(params=["http.server", "nginx"])
def address(request: pytest.FixtureRequest, tree: Path, tmp_path: Path) -> Iterator[str]:
    serve = http_server if request.param == "http.server" else nginx
    with serve(tree, tmp_path / "server") as url:
        yield url


def _install(project: Project, **options: str) -> None:
    project.write("", buildout={"extensions": "", **options}, indexfallback=None)
    project.run(no_proxy="127.0.0.1", NO_PROXY="127.0.0.1").expect()
    assert project.version_of("acme_app") == "1.0"
    assert project.version_of("acme_lib") == "3.1"


def test_a_buildout_installs_from_a_tree(project: Project, address: str) -> None:
    _install(project, index=f"{address}/simple/")


@pytest.mark.parametrize("environment", VERSIONS[1:3], indirect=True)
def test_an_older_buildout_installs_from_a_tree_behind_a_plain_server(
    project: Project, tree: Path, tmp_path: Path
) -> None:
    with http_server(tree, tmp_path / "server") as address:
        _install(project, index=f"{address}/simple/")


@pytest.mark.parametrize("environment", VERSIONS[:3], indirect=True)
def test_a_buildout_installs_from_the_files_of_a_tree(project: Project, tree: Path) -> None:
    files = tree / "files"
    _install(project, **{"find-links": str(files), "index": files.as_uri()})
