"""The main job on the real PyPI: real projects, then without asking, then without a network."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import Access
from tests.clients.support import (
    NO_NETWORK,
    Client,
    Done,
    User,
    installed,
    may_have_own_network,
    write_config,
)
from tests.fakes import FakeIndex, flat_directory, wheel

pytestmark = pytest.mark.network

#: Pure Python with a handful of small dependencies, and one that has wheels for each platform.
PROJECTS = ("flask", "markupsafe", "packaging")
#: Prints the requests that each index has had when its command has ended.
_COUNT = """
import json, os, subprocess, sys, urllib.request
code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
base = os.environ["PIP_INDEX_URL"].removesuffix("/simple/")
with opener.open(base + "/-/status") as answer:
    indexes = json.load(answer)["indexes"]
print(json.dumps({index["name"]: index["requests"] for index in indexes}))
sys.exit(code)
"""


@pytest.fixture
def pypi_user(user: User, access: Access | None) -> Iterator[User]:
    """A user with a private directory, a mirror that leads to PyPI, and PyPI itself."""
    if access is None:
        pytest.skip("no network")
    user.environment |= access.environment()
    files = flat_directory(user.home / "private", [wheel("acme-app", requires=["flask"])])
    with FakeIndex() as mirror:
        mirror.redirect(access.url.removesuffix("/simple/") + "{path}")
        indexes = {
            "private": {"url": str(files)},
            "mirror": {"url": mirror.url, "mirror_of": "pypi"},
            "pypi": {"url": access.url, "role": "public"},
        }
        write_config(user.config, indexes)
        yield user


def _install(user: User, client: Client, *options: str) -> tuple[Path, dict[str, int]]:
    """Install by `run`; return where, and how often each remote index was asked for it."""
    target = user.target()
    command = client.install(target, "acme-app", *PROJECTS)
    done = user.run(sys.executable, "-c", _COUNT, *command, options=options, by_address=True)
    done.expect()
    asked: dict[str, int] = json.loads(done.stdout)
    del asked["private"]  # a directory, which is looked at each time
    return target, asked


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_real_projects_are_installed_then_without_asking_then_offline(
    name: str, pypi_user: User, environments: dict[str, Client]
) -> None:
    client = environments[name]
    target, asked = _install(pypi_user, client)
    found = installed(target)
    assert found.keys() >= {"acme-app", "flask", "werkzeug", "jinja2", "markupsafe", "packaging"}
    assert asked["mirror"] > 0
    target, asked = _install(pypi_user, client)
    assert installed(target) == found
    assert asked == {"mirror": 0, "pypi": 0}
    target, asked = _install(pypi_user, client, "--offline")
    assert installed(target) == found
    assert asked == {"mirror": 0, "pypi": 0}


def test_without_any_network_what_was_seen_is_installed_and_nothing_else(
    pypi_user: User, environments: dict[str, Client]
) -> None:
    if not may_have_own_network():
        pytest.skip("no network namespaces for this user on this system")
    uv = environments["uv"]
    target, _ = _install(pypi_user, uv)
    found = installed(target)
    target = pypi_user.target()
    _run_without_network(pypi_user, *uv.install(target, "acme-app", *PROJECTS)).expect()
    assert installed(target) == found
    done = _run_without_network(pypi_user, *uv.install(pypi_user.target(), "django"))
    assert done.code != 0
    assert "django was not found" in done.said
    assert "pypi is unavailable: this machine has no network" in done.said
    assert "it was never seen here" in done.said


def test_without_any_network_the_newest_version_that_is_here_is_chosen(
    pypi_user: User, environments: dict[str, Client]
) -> None:
    if not may_have_own_network():
        pytest.skip("no network namespaces for this user on this system")
    online = pypi_user.target()
    older = ("acme-app", "packaging<24", "markupsafe<3", "werkzeug<3.1")
    pypi_user.run(*environments["uv"].install(online, *older)).expect()
    names = [name.partition("<")[0] for name in older]
    for client in ("pip", "uv"):
        target = pypi_user.target()
        _run_without_network(pypi_user, *environments[client].install(target, *names)).expect()
        assert installed(target) == installed(online)
        assert installed(target)["packaging"].startswith("23.")


def test_what_was_fetched_is_installed_without_any_network(
    pypi_user: User, environments: dict[str, Client]
) -> None:
    if not may_have_own_network():
        pytest.skip("no network namespaces for this user on this system")
    # An sdist, which pip and uv build with setuptools.
    wanted = ("acme-app", "docopt==0.6.2", *PROJECTS)
    pypi_user.ours("fetch", *wanted).expect()
    for client in ("pip", "uv"):
        target = pypi_user.target()
        _run_without_network(pypi_user, *environments[client].install(target, *wanted)).expect()
        assert installed(target).keys() >= {"acme-app", "docopt", "flask", "werkzeug", "markupsafe"}


def _run_without_network(user: User, *command: str) -> Done:
    run = (sys.executable, "-m", "indexfallback", "run", "--", *command)
    return user.call(*NO_NETWORK, *run)
