"""Trees that are published by the real command, and served by others' servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import cli  # noqa: F401 - a fixture
from tests.cli.support import CommandLine
from tests.clients.conftest import access, environments, user  # noqa: F401 - fixtures
from tests.fakes import flat_directory, sdist, wheel
from tests.tree.servers import http_server, nginx

DISTS = [
    wheel("acme-app", "1.4", requires=["Acme.Lib>=1", "packed"], requires_python=">=3.8"),
    wheel("acme-app", "1.3"),
    wheel("Acme.Lib", "1.1"),
    sdist("packed", "3.0"),
]


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Return a directory of distributions, each project in one of its own."""
    for dist in DISTS:
        flat_directory(tmp_path / "wheels" / dist.project, [dist])
    return tmp_path / "wheels"


@pytest.fixture
def tree(cli: CommandLine, wheels: Path, tmp_path: Path) -> Path:  # noqa: F811 - the fixture
    """Return a published tree of them."""
    cli("publish-tree", str(tmp_path / "tree"), "--directory", str(wheels)).expect()
    return tmp_path / "tree"


@pytest.fixture(params=["http.server", "nginx", "file"])
def address(request: pytest.FixtureRequest, tree: Path, tmp_path: Path) -> Iterator[str]:
    """Return where the tree is, without a last slash: behind each server, and without one."""
    if request.param == "file":
        yield tree.as_uri()
        return
    serve = http_server if request.param == "http.server" else nginx
    with serve(tree, tmp_path / "server") as url:
        yield url
