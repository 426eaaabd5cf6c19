"""What was fetched is installed by real clients while no index can be reached."""

import pytest

from tests.clients.conftest import Chain
from tests.clients.support import Client, User, installed
from tests.fakes import sdist, tree, wheel

TREE = tree(6, fanout=2)
APP = wheel("acme-app", "1.4", requires=["Acme.Lib>=1", "tree-0", "packed"])
LIB = wheel("Acme.Lib", "1.1")
PACKED = sdist("packed", "3.0", requires=["tree-1"], build_requires=["builder>=2"])
BUILDER = sdist("builder", "2.1", build_requires=["base"])
ALL = {dist.project: dist.version for dist in [*TREE, APP, LIB, PACKED]}


@pytest.fixture
def full_chain(chain: Chain) -> Chain:
    for dist in (APP, LIB):
        chain.private.add(dist)
    for dist in [*TREE[:3], PACKED]:
        chain.mirror.add(dist)
    for dist in [*TREE, BUILDER, wheel("base")]:
        chain.public.add(dist)
    return chain


def fetch(user: User, *arguments: str) -> None:
    user.ours("fetch", *arguments).expect()


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_tree_with_an_sdist_is_installed_and_built_from_what_was_fetched(
    name: str, full_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    fetch(user, "acme-app")
    full_chain.stop()
    target = user.target()
    user.run(*environments[name].install(target, "acme-app"), options=("--offline",)).expect()
    assert installed(target) == ALL


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_locked_set_is_installed_with_its_hashes(
    name: str, full_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    dists = [*TREE, APP, LIB, PACKED]
    lines = [f"{dist.name}=={dist.version} --hash=sha256:{dist.sha256}" for dist in dists]
    locked = user.home / "locked.txt"
    locked.write_text("\n".join([*lines, ""]), encoding="utf-8")
    fetch(user, "-r", str(locked))
    full_chain.stop()
    target = user.target()
    command = environments[name].install(target, "--require-hashes", "-r", str(locked))
    user.run(*command, options=("--offline",)).expect()
    assert installed(target) == ALL


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_pin_of_an_older_version_is_what_offline_clients_choose(
    name: str, full_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    full_chain.public.add(wheel("idna", "3.9"))
    full_chain.public.add(wheel("idna", "3.10"))
    versions = user.home / "versions.cfg"
    versions.write_text("[versions]\nidna = 3.9\n", encoding="utf-8")
    fetch(user, "-r", str(versions))
    full_chain.stop()
    target = user.target()
    user.run(*environments[name].install(target, "idna"), options=("--offline",)).expect()
    assert installed(target) == {"idna": "3.9"}


def test_each_file_is_asked_for_once(full_chain: Chain, user: User) -> None:
    fetch(user, "acme-app")
    full_chain.forget_requests()
    fetch(user, "acme-app")
    asked = [request.path for index in full_chain.all for request in index.requests]
    assert not [path for path in asked if path.startswith("/files/")]
